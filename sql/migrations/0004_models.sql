-- Which model answered, what the others would have said, and what became of the events: what a champion and its challengers are
-- compared by. The new columns are null for events from before.

ALTER TABLE risk.risk_events ADD COLUMN model_role VARCHAR(64) ENCODE BYTEDICT;
ALTER TABLE risk.risk_events ADD COLUMN model_fallback VARCHAR(4096) ENCODE ZSTD;
-- [{"model": …, "score": …, "band": …}, …]: the decision with each model that ran in shadow, in the scale of the profile.
ALTER TABLE risk.risk_events ADD COLUMN challengers SUPER ENCODE ZSTD;

ALTER TABLE risk.risk_events_staging ADD COLUMN model_role VARCHAR(64) ENCODE BYTEDICT;
ALTER TABLE risk.risk_events_staging ADD COLUMN model_fallback VARCHAR(4096) ENCODE ZSTD;
ALTER TABLE risk.risk_events_staging ADD COLUMN challengers SUPER ENCODE ZSTD;

-- The truth, as it becomes known: chargebacks, investigations, customers who left. An event may be labelled again; the newest
-- label counts. Same distribution as the events that it is joined with.
CREATE TABLE risk.risk_labels (
  event_id        VARCHAR(512) NOT NULL ENCODE ZSTD DISTKEY,
  -- True: it was fraud, the customer left, the lead bought.
  label           BOOLEAN      NOT NULL ENCODE ZSTD,
  labelled_at     TIMESTAMPTZ  NOT NULL ENCODE RAW,
  -- Who says so: chargeback, investigation, crm.
  source          VARCHAR(64)  NOT NULL ENCODE BYTEDICT
)
DISTSTYLE KEY
SORTKEY (labelled_at);

-- One row per event and model that ran beside the one that answered.
CREATE VIEW risk.challenger_scores AS
SELECT
  e.event_id,
  e.profile,
  e."timestamp",
  e.score_scale,
  e.model_version AS answered_by,
  NVL(e.model_role, 'champion') AS answered_as,
  e.score,
  e.band,
  c.model::VARCHAR(256) AS challenger,
  c.score::DOUBLE PRECISION AS challenger_score,
  c.band::VARCHAR(64) AS challenger_band
FROM risk.risk_events e, e.challengers c;

-- How a challenger's decisions differ from those that were made.
CREATE VIEW risk.challenger_agreement AS
SELECT
  profile,
  answered_by,
  challenger,
  COUNT(*) AS events,
  AVG(CASE WHEN band = challenger_band THEN 1.0::DOUBLE PRECISION ELSE 0.0::DOUBLE PRECISION END) AS agreement,
  AVG(ABS(score - challenger_score)) AS average_difference,
  AVG(challenger_score - score) AS average_shift,
  MAX(ABS(score - challenger_score)) AS largest_difference,
  MIN("timestamp") AS first_event_at,
  MAX("timestamp") AS last_event_at
FROM risk.challenger_scores
GROUP BY profile, answered_by, challenger;

-- How often models could not answer, and who stood in.
CREATE VIEW risk.model_fallbacks AS
SELECT
  DATE_TRUNC('day', "timestamp")::DATE AS day,
  profile,
  model_version AS answered_by,
  model_fallback,
  COUNT(*) AS events
FROM risk.risk_events
WHERE model_fallback IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- Writes labels and reads none of the scores: the system that knows the truth must not learn what was guessed.
CREATE ROLE risk_labeller;
GRANT USAGE ON SCHEMA risk TO ROLE risk_labeller;
GRANT INSERT ON risk.risk_labels TO ROLE risk_labeller;

GRANT SELECT (model_role, model_fallback, challengers) ON risk.risk_events TO ROLE risk_analyst;
GRANT SELECT ON risk.risk_labels TO ROLE risk_analyst;
GRANT SELECT ON risk.challenger_scores TO ROLE risk_analyst;
GRANT SELECT ON risk.challenger_agreement TO ROLE risk_bi;
GRANT SELECT ON risk.model_fallbacks TO ROLE risk_bi;
