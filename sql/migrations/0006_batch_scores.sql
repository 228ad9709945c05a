-- What nightly batches scored, beside what was scored as it happened.

-- Key: (dataset, score_date, event_id). One event has a score a day that it was in a batch; loading a day again with the same scores
-- changes no row, with other scores (a new model) it changes those.
--   DISTKEY(event_id)             As in risk_events and risk_labels: joins with both, and the MERGE, stay on their slice.
--   SORTKEY(score_date, dataset)  A day is loaded, replaced and read as a whole.
CREATE TABLE risk.batch_scores (
  dataset         VARCHAR(64)      NOT NULL ENCODE BYTEDICT,
  event_id        VARCHAR(512)     NOT NULL ENCODE ZSTD DISTKEY,
  score_date      DATE             NOT NULL ENCODE RAW,
  -- The model's own score in the profile's scale: no rule of a policy has a part in it.
  score           DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  -- Upper end of the profile's scale: 1 or 100.
  score_scale     DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  model_version   VARCHAR(256)     NOT NULL ENCODE LZO,
  -- Of the load that brought this value first.
  scored_at       TIMESTAMPTZ      NOT NULL ENCODE AZ64,
  loaded_at       TIMESTAMPTZ      NOT NULL ENCODE AZ64,
  PRIMARY KEY (dataset, score_date, event_id)
)
DISTSTYLE KEY
COMPOUND SORTKEY (score_date, dataset);

-- Never holds a row: each load copies into a temporary table LIKE this one.
CREATE TABLE risk.batch_scores_staging (
  dataset         VARCHAR(64) ENCODE BYTEDICT,
  event_id        VARCHAR(512) ENCODE ZSTD DISTKEY,
  score_date      DATE ENCODE RAW,
  score           DOUBLE PRECISION ENCODE ZSTD,
  score_scale     DOUBLE PRECISION ENCODE ZSTD,
  model_version   VARCHAR(256) ENCODE LZO,
  scored_at       TIMESTAMPTZ ENCODE AZ64
)
DISTSTYLE KEY;

-- A batch at a glance: a model that drifts, or a day that was cut short, shows beside the days before it. "Risk" is the share of the
-- scale, so that datasets of different scales can stand in one chart.
CREATE VIEW risk.batch_scores_by_day AS
SELECT
  score_date AS day,
  dataset,
  model_version,
  COUNT(*) AS "rows",
  AVG(score) AS average_score,
  AVG(score / score_scale) AS average_risk,
  STDDEV_SAMP(score / score_scale) AS deviation,
  MIN(score) AS lowest_score,
  MAX(score) AS highest_score,
  SUM(CASE WHEN score / score_scale >= 0.8 THEN 1 ELSE 0 END)::DOUBLE PRECISION / COUNT(*) AS share_above_80_percent,
  MAX(loaded_at) AS loaded_at
FROM risk.batch_scores
GROUP BY score_date, dataset, model_version;

-- The scores of a day in ten bins of the scale (0: below 10 %, 9: 90 % and above): counting needs no sort, as percentiles would.
CREATE VIEW risk.batch_score_bins AS
SELECT
  score_date AS day,
  dataset,
  model_version,
  CASE
    WHEN score / score_scale >= 1 THEN 9
    WHEN score / score_scale < 0 THEN 0
    ELSE FLOOR(score / score_scale * 10)::INTEGER
  END AS bin,
  COUNT(*) AS "rows"
FROM risk.batch_scores
GROUP BY 1, 2, 3, 4;

-- The same events scored in a batch and as they happened. A dataset belongs to the profile of its name. Both scores come from the same
-- features; what separates them is the rules of the policy, which only real-time scores have, and the model that answered on the day.
CREATE VIEW risk.batch_and_real_time AS
SELECT
  b.dataset,
  b.score_date,
  b.event_id,
  b.model_version AS batch_model,
  e.model_version AS real_time_model,
  b.score / b.score_scale AS batch_risk,
  e.score / e.score_scale AS real_time_risk
FROM risk.batch_scores b
JOIN risk.risk_events e ON e.event_id = b.event_id AND e.profile = b.dataset;

CREATE VIEW risk.batch_and_real_time_by_day AS
SELECT
  score_date AS day,
  dataset,
  batch_model,
  real_time_model,
  COUNT(*) AS events,
  AVG(batch_risk) AS average_batch_risk,
  AVG(real_time_risk) AS average_real_time_risk,
  AVG(ABS(batch_risk - real_time_risk)) AS average_difference,
  MAX(ABS(batch_risk - real_time_risk)) AS largest_difference,
  SUM(CASE WHEN ABS(batch_risk - real_time_risk) < 0.000001 THEN 1 ELSE 0 END) AS equal_scores
FROM risk.batch_and_real_time
GROUP BY 1, 2, 3, 4;

-- Reads what models learn from and writes what they score; the batch jobs' IAM role carries it in its tag RedshiftDbRoles.
-- It may read `input`, which no person's role may, because a feature may be a field of the input rather than one that was computed from it.
-- What lies there is tokenised and rounded before it is loaded, the job copies only the fields that the dataset's document names, and
-- the user's token, which would link events of one person, is not granted. Nor are scores, bands and reasons: a model must not learn
-- from what another one guessed.
CREATE ROLE risk_batch;
GRANT USAGE ON SCHEMA risk TO ROLE risk_batch;
GRANT SELECT (event_id, profile, "timestamp", scored_at, features, input) ON risk.risk_events TO ROLE risk_batch;
GRANT SELECT ON risk.risk_labels TO ROLE risk_batch;
GRANT SELECT ON risk.current_labels TO ROLE risk_batch;
GRANT SELECT, INSERT, UPDATE, DELETE ON risk.batch_scores TO ROLE risk_batch;
GRANT SELECT ON risk.batch_scores_staging TO ROLE risk_batch;

GRANT SELECT ON risk.batch_scores TO ROLE risk_analyst;
GRANT SELECT ON risk.batch_and_real_time TO ROLE risk_analyst;
GRANT SELECT ON risk.batch_scores_by_day TO ROLE risk_bi;
GRANT SELECT ON risk.batch_score_bins TO ROLE risk_bi;
GRANT SELECT ON risk.batch_and_real_time_by_day TO ROLE risk_bi;
