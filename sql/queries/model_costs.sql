-- What each model's decisions would have cost on the labelled events that both models scored: a false alarm costs a review and an
-- annoyed customer, a miss costs the amount (or a fixed sum where there is none). Set the threshold (share of the scale from which you
-- act on an event) and the costs for your business; promoting the challenger pays where saved_by_challenger is clearly above 0.
WITH costs AS (
  SELECT 'fraud' AS profile, 0.6 AS threshold, 5.0 AS cost_of_false_alarm, 100.0 AS cost_of_miss, 1.0 AS share_of_amount_lost
  UNION ALL
  SELECT 'churn', 0.5, 20.0, 400.0, 0.0
  UNION ALL
  SELECT 'lead', 0.6, 10.0, 150.0, 0.0
),
judged AS (
  SELECT
    s.profile,
    s.answered_by,
    s.challenger,
    n.label,
    s.score / s.score_scale >= c.threshold AS acted,
    s.challenger_score / s.score_scale >= c.threshold AS challenger_acts,
    c.cost_of_false_alarm,
    CASE WHEN e.amount IS NULL OR c.share_of_amount_lost = 0 THEN c.cost_of_miss ELSE e.amount * c.share_of_amount_lost END AS miss
  FROM risk.challenger_scores s
  JOIN risk.risk_events e ON e.event_id = s.event_id
  JOIN risk.current_labels n ON n.event_id = s.event_id
  JOIN costs c ON c.profile = s.profile
),
priced AS (
  SELECT
    profile,
    answered_by,
    challenger,
    label,
    acted,
    challenger_acts,
    CASE WHEN acted AND NOT label THEN cost_of_false_alarm WHEN label AND NOT acted THEN miss ELSE 0 END AS cost,
    CASE WHEN challenger_acts AND NOT label THEN cost_of_false_alarm WHEN label AND NOT challenger_acts THEN miss ELSE 0 END AS challenger_cost
  FROM judged
)
SELECT
  profile,
  answered_by,
  challenger,
  COUNT(*) AS events,
  SUM(CASE WHEN label THEN 1 ELSE 0 END) AS positives,
  SUM(CASE WHEN acted AND NOT label THEN 1 ELSE 0 END) AS false_alarms,
  SUM(CASE WHEN challenger_acts AND NOT label THEN 1 ELSE 0 END) AS challenger_false_alarms,
  SUM(CASE WHEN label AND NOT acted THEN 1 ELSE 0 END) AS misses,
  SUM(CASE WHEN label AND NOT challenger_acts THEN 1 ELSE 0 END) AS challenger_misses,
  SUM(cost) AS cost,
  SUM(challenger_cost) AS challenger_cost,
  SUM(cost) - SUM(challenger_cost) AS saved_by_challenger
FROM priced
GROUP BY profile, answered_by, challenger
ORDER BY profile, saved_by_challenger DESC, challenger;
