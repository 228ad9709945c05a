-- One user's last day, newest first, with every reason in one line. :user_id is a token, as in top_risky_users.
SELECT
  e."timestamp",
  e.amount,
  e.country,
  e.score,
  e.band,
  LISTAGG(r.code::VARCHAR(256), ', ') WITHIN GROUP (ORDER BY r.contribution::DOUBLE PRECISION DESC) AS reasons
FROM risk.risk_events e, e.reasons r
WHERE e.user_id = :user_id
  AND e."timestamp" >= DATEADD(day, -1, (SELECT MAX("timestamp")::TIMESTAMP FROM risk.risk_events WHERE user_id = :user_id))
GROUP BY e.event_id, e."timestamp", e.amount, e.country, e.score, e.band
ORDER BY e."timestamp" DESC;
