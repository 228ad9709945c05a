-- What BI tools and the fraud team read. Scores are compared as a share of the profile's scale (score / score_scale), so that
-- leads (0 to 100) and transactions (0 to 1) can stand in one chart.

CREATE VIEW risk.scores_by_day_band AS
SELECT
  DATE_TRUNC('day', "timestamp")::DATE AS day,
  profile,
  band,
  COUNT(*) AS events,
  AVG(score) AS average_score,
  MAX(score) AS highest_score,
  SUM(amount) AS amount
FROM risk.risk_events
GROUP BY 1, 2, 3;

-- One row per user and profile over the last 30 days of that profile's own data: the highest score, and the reason that moved it
-- most. "Last" counts from the profile's newest event, so that a replayed month shows its own end.
CREATE VIEW risk.top_risky_users AS
WITH newest AS (
  SELECT profile, MAX("timestamp") AS newest_at
  FROM risk.risk_events
  GROUP BY profile
),
ranked AS (
  SELECT
    e.profile,
    e.user_id,
    e.event_id,
    e.score,
    e.score_scale,
    e.band,
    e."timestamp",
    e.reasons,
    COUNT(*) OVER (PARTITION BY e.profile, e.user_id) AS events,
    SUM(CASE WHEN e.geo_flag OR e.velocity_flag THEN 1 ELSE 0 END) OVER (PARTITION BY e.profile, e.user_id) AS flagged_events,
    AVG(e.score) OVER (PARTITION BY e.profile, e.user_id) AS average_score,
    ROW_NUMBER() OVER (PARTITION BY e.profile, e.user_id ORDER BY e.score DESC, e."timestamp" DESC, e.event_id) AS place
  FROM risk.risk_events e
  JOIN newest n ON n.profile = e.profile
  WHERE e.user_id IS NOT NULL
    AND e."timestamp" >= DATEADD(day, -30, n.newest_at::TIMESTAMP)
)
SELECT
  r.profile,
  r.user_id,
  r.score AS highest_score,
  r.score / r.score_scale AS risk,
  r.band,
  r.average_score,
  r.events,
  r.flagged_events,
  r.reasons[0].code::VARCHAR(256) AS main_reason,
  r.reasons[0].text::VARCHAR(1024) AS main_reason_text,
  r.reasons[0].contribution::DOUBLE PRECISION AS main_reason_contribution,
  r.event_id AS highest_event_id,
  r."timestamp" AS highest_at
FROM ranked r
WHERE r.place = 1;

-- How often each rule fires, and how the events it fires on score. Rules that stopped firing, or fire on everything, show here.
CREATE VIEW risk.rule_hit_rates AS
WITH totals AS (
  SELECT profile, policy_version, COUNT(*) AS events
  FROM risk.risk_events
  GROUP BY profile, policy_version
),
hits AS (
  SELECT
    e.profile,
    e.policy_version,
    f::VARCHAR(256) AS rule,
    e.score
  FROM risk.risk_events e, e.flags f
)
SELECT
  h.profile,
  h.policy_version,
  h.rule,
  COUNT(*) AS hits,
  t.events,
  COUNT(*)::DOUBLE PRECISION / t.events AS hit_rate,
  AVG(h.score) AS average_score
FROM hits h
JOIN totals t ON t.profile = h.profile AND t.policy_version = h.policy_version
GROUP BY h.profile, h.policy_version, h.rule, t.events;

-- Where risk comes from: by country, and by cells of one degree (about 111 km) for a map.
CREATE VIEW risk.geography AS
SELECT
  profile,
  NVL(country, 'unknown') AS country,
  FLOOR(latitude) AS latitude_cell,
  FLOOR(longitude) AS longitude_cell,
  COUNT(*) AS events,
  SUM(CASE WHEN geo_flag THEN 1 ELSE 0 END) AS geo_flagged,
  AVG(score) AS average_score,
  MAX(speed_kmh) AS highest_speed_kmh,
  SUM(amount) AS amount
FROM risk.risk_events
GROUP BY 1, 2, 3, 4;

-- Versions of a model side by side: a challenger whose scores or bands drift from the champion's shows before it is promoted.
CREATE VIEW risk.model_comparison AS
SELECT
  profile,
  model_version,
  policy_version,
  COUNT(*) AS events,
  MIN("timestamp") AS first_event_at,
  MAX("timestamp") AS last_event_at,
  AVG(score / score_scale) AS average_risk,
  STDDEV_SAMP(score / score_scale) AS deviation,
  SUM(CASE WHEN score / score_scale >= 0.8 THEN 1 ELSE 0 END)::DOUBLE PRECISION / COUNT(*) AS share_above_80_percent
FROM risk.risk_events
GROUP BY profile, model_version, policy_version;

-- How far the warehouse is behind: seconds since the newest score and since the last load.
CREATE VIEW risk.freshness AS
SELECT
  profile,
  COUNT(*) AS events,
  MAX("timestamp") AS newest_event_at,
  MAX(scored_at) AS newest_score_at,
  MAX(loaded_at) AS last_loaded_at,
  DATEDIFF(second, MAX(scored_at)::TIMESTAMP, GETDATE()) AS seconds_since_newest_score,
  DATEDIFF(second, MAX(loaded_at)::TIMESTAMP, GETDATE()) AS seconds_since_last_load
FROM risk.risk_events
GROUP BY profile;

-- What never became an event, and why.
CREATE VIEW risk.quarantine_by_reason AS
SELECT
  DATE_TRUNC('day', arrived_at)::DATE AS day,
  profile,
  reason,
  COUNT(*) AS records,
  MAX(arrived_at) AS newest_at
FROM risk.quarantined_events
GROUP BY 1, 2, 3;
