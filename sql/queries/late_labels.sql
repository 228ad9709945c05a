-- Labels that arrived late or were changed: how long after the event, by source. Training waits for the maturityDays of a dataset; a
-- source whose days_90_percent is above that makes the model learn from wrong negatives.
WITH delays AS (
  SELECT
    e.profile,
    l.source,
    l.label,
    DATEDIFF(hour, e."timestamp"::TIMESTAMP, l.labelled_at::TIMESTAMP) / 24.0 AS days_to_label,
    DATEDIFF(hour, l.labelled_at::TIMESTAMP, l.received_at::TIMESTAMP) / 24.0 AS days_on_the_way,
    ROW_NUMBER() OVER (PARTITION BY l.event_id ORDER BY l.labelled_at, l.source) AS verdict,
    PERCENT_RANK() OVER (PARTITION BY e.profile, l.source ORDER BY DATEDIFF(hour, e."timestamp"::TIMESTAMP, l.labelled_at::TIMESTAMP)) AS place
  FROM risk.risk_labels l
  JOIN risk.risk_events e ON e.event_id = l.event_id
)
SELECT
  profile,
  source,
  COUNT(*) AS labels,
  SUM(CASE WHEN label THEN 1 ELSE 0 END) AS positives,
  SUM(CASE WHEN verdict > 1 THEN 1 ELSE 0 END) AS revisions,
  AVG(days_to_label) AS average_days_to_label,
  MAX(CASE WHEN place <= 0.9 THEN days_to_label END) AS days_90_percent,
  MAX(days_to_label) AS longest_days,
  AVG(days_on_the_way) AS average_days_on_the_way
FROM delays
GROUP BY profile, source
ORDER BY profile, source;
