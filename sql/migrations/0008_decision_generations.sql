-- What replays decided, beside what was decided when the events arrived. An event has one row here for each decision generation that
-- scored it again; risk.risk_events keeps the first decision, generation 0, so no event is counted twice.

-- Key: (event_id, decision_generation).
--   DISTKEY(event_id)  As in risk_events, which every view joins: the join and the MERGE stay on their slice.
--   SORTKEY(decision_generation, "timestamp")  A generation is read as a whole, over a range of time.
CREATE TABLE risk.decision_generations (
  event_id            VARCHAR(512)  NOT NULL ENCODE ZSTD DISTKEY,
  decision_generation BIGINT        NOT NULL ENCODE RAW,
  profile             VARCHAR(64)   NOT NULL ENCODE BYTEDICT,
  user_id             VARCHAR(512)           ENCODE ZSTD,
  "timestamp"         TIMESTAMPTZ   NOT NULL ENCODE AZ64,
  scored_at           TIMESTAMPTZ   NOT NULL ENCODE AZ64,
  score               DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  score_scale         DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  band                VARCHAR(64)   NOT NULL ENCODE BYTEDICT,
  model_version       VARCHAR(256)  NOT NULL ENCODE LZO,
  policy_version      VARCHAR(256)  NOT NULL ENCODE LZO,
  model_role          VARCHAR(64)            ENCODE BYTEDICT,
  model_fallback      VARCHAR(4096)          ENCODE ZSTD,
  flags               SUPER                  ENCODE ZSTD,
  reasons             SUPER                  ENCODE ZSTD,
  geo_flag            BOOLEAN       NOT NULL ENCODE ZSTD,
  velocity_flag       BOOLEAN       NOT NULL ENCODE ZSTD,
  amount_flag         BOOLEAN       NOT NULL ENCODE ZSTD,
  hour_flag           BOOLEAN       NOT NULL ENCODE ZSTD,
  features            SUPER                  ENCODE ZSTD,
  load_id             VARCHAR(64)   NOT NULL ENCODE LZO,
  loaded_at           TIMESTAMPTZ   NOT NULL ENCODE AZ64,
  PRIMARY KEY (event_id, decision_generation)
)
DISTSTYLE KEY
COMPOUND SORTKEY (decision_generation, "timestamp");

-- Never holds a row: each load copies into a temporary table LIKE this one.
CREATE TABLE risk.decision_generations_staging (
  event_id            VARCHAR(512) ENCODE ZSTD DISTKEY,
  decision_generation BIGINT ENCODE RAW,
  profile             VARCHAR(64) ENCODE BYTEDICT,
  user_id             VARCHAR(512) ENCODE ZSTD,
  occurred_at         TIMESTAMPTZ ENCODE AZ64,
  scored_at           TIMESTAMPTZ ENCODE AZ64,
  score               DOUBLE PRECISION ENCODE ZSTD,
  score_scale         DOUBLE PRECISION ENCODE ZSTD,
  band                VARCHAR(64) ENCODE BYTEDICT,
  model_version       VARCHAR(256) ENCODE LZO,
  policy_version      VARCHAR(256) ENCODE LZO,
  model_role          VARCHAR(64) ENCODE BYTEDICT,
  model_fallback      VARCHAR(4096) ENCODE ZSTD,
  flags               SUPER ENCODE ZSTD,
  reasons             SUPER ENCODE ZSTD,
  geo_flag            BOOLEAN ENCODE ZSTD,
  velocity_flag       BOOLEAN ENCODE ZSTD,
  amount_flag         BOOLEAN ENCODE ZSTD,
  hour_flag           BOOLEAN ENCODE ZSTD,
  features            SUPER ENCODE ZSTD
)
DISTSTYLE KEY;

-- One row per event: its decision of the newest generation that has one, otherwise the one made when it arrived.
CREATE VIEW risk.newest_decisions AS
WITH numbered AS (
  SELECT
    event_id,
    decision_generation,
    scored_at,
    score,
    band,
    model_version,
    policy_version,
    flags,
    reasons,
    features,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY decision_generation DESC) AS place
  FROM risk.decision_generations
)
SELECT
  e.event_id,
  e.profile,
  e.user_id,
  e."timestamp",
  NVL(g.decision_generation, 0) AS decision_generation,
  NVL(g.scored_at, e.scored_at) AS scored_at,
  NVL(g.score, e.score) AS score,
  e.score_scale,
  NVL(g.band, e.band) AS band,
  NVL(g.model_version, e.model_version) AS model_version,
  NVL(g.policy_version, e.policy_version) AS policy_version,
  CASE WHEN g.event_id IS NULL THEN e.flags ELSE g.flags END AS flags,
  CASE WHEN g.event_id IS NULL THEN e.reasons ELSE g.reasons END AS reasons,
  CASE WHEN g.event_id IS NULL THEN e.features ELSE g.features END AS features,
  e.amount,
  e.currency,
  e.category,
  e.country
FROM risk.risk_events e
LEFT JOIN numbered g ON g.event_id = e.event_id AND g.place = 1;

-- What each generation changed against the decisions made when the events arrived.
CREATE VIEW risk.decision_generation_changes AS
SELECT
  g.decision_generation,
  g.profile,
  e.band AS band_before,
  g.band AS band_after,
  COUNT(*) AS events,
  AVG(ABS(g.score - e.score) / e.score_scale) AS average_difference,
  MAX(ABS(g.score - e.score) / e.score_scale) AS largest_difference,
  MIN(g."timestamp") AS first_event_at,
  MAX(g."timestamp") AS last_event_at
FROM risk.decision_generations g
JOIN risk.risk_events e ON e.event_id = g.event_id
GROUP BY 1, 2, 3, 4;

GRANT SELECT, INSERT, UPDATE, DELETE ON risk.decision_generations TO ROLE risk_loader;
GRANT SELECT ON risk.decision_generations_staging TO ROLE risk_loader;
GRANT SELECT ON risk.decision_generations TO ROLE risk_analyst;
GRANT SELECT ON risk.newest_decisions TO ROLE risk_analyst;
GRANT SELECT ON risk.decision_generation_changes TO ROLE risk_bi;
