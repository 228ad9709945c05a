-- The twenty users to look at first, and why.
SELECT user_id, ROUND(risk::NUMERIC(18, 6), 3) AS risk, band, events, flagged_events, main_reason, main_reason_text
FROM risk.top_risky_users
WHERE profile = 'fraud'
ORDER BY risk DESC, flagged_events DESC, user_id
LIMIT 20;
