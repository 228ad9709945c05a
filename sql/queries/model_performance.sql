-- How good each model was, by week of the events, on events whose outcome is known: precision and recall at the threshold (share of the
-- scale from which an event is acted on), and AUC: the share of pairs of a positive and a negative in which the positive scored higher,
-- ties counting half (the Mann-Whitney statistic). Null where a week only has one class.
WITH settings AS (
  SELECT 0.6 AS threshold
),
judged AS (
  SELECT
    DATE_TRUNC('week', e."timestamp")::DATE AS week,
    e.profile,
    e.model_version,
    e.score / e.score_scale AS risk,
    l.label
  FROM risk.risk_events e
  JOIN risk.current_labels l ON l.event_id = e.event_id
),
ranked AS (
  SELECT
    week,
    profile,
    model_version,
    label,
    risk,
    -- Equal scores share the mean of their ranks.
    RANK() OVER (PARTITION BY week, profile, model_version ORDER BY risk)
      + (COUNT(*) OVER (PARTITION BY week, profile, model_version, risk) - 1) / 2.0 AS place
  FROM judged
),
counted AS (
  SELECT
    r.week,
    r.profile,
    r.model_version,
    COUNT(*) AS events,
    SUM(CASE WHEN r.label THEN 1 ELSE 0 END) AS positives,
    SUM(CASE WHEN r.label THEN 0 ELSE 1 END) AS negatives,
    SUM(CASE WHEN r.label AND r.risk >= s.threshold THEN 1 ELSE 0 END) AS hits,
    SUM(CASE WHEN r.risk >= s.threshold THEN 1 ELSE 0 END) AS acted,
    SUM(CASE WHEN r.label THEN r.place ELSE 0 END) AS places_of_positives
  FROM ranked r
  CROSS JOIN settings s
  GROUP BY r.week, r.profile, r.model_version
)
SELECT
  week,
  profile,
  model_version,
  events,
  positives,
  hits::DOUBLE PRECISION / NULLIF(acted, 0) AS "precision",
  hits::DOUBLE PRECISION / NULLIF(positives, 0) AS recall,
  (places_of_positives - positives * (positives + 1) / 2.0)::DOUBLE PRECISION / NULLIF(positives * negatives, 0) AS auc
FROM counted
ORDER BY week DESC, profile, model_version;
