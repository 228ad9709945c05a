-- Labels by the platform's own road: POST /feedback → object under labels/ → loader → here. Rows that were inserted by hand have no
-- received_at, load_id and loaded_at.
--
-- A label is told from another by (event_id, source, labelled_at): the same said again changes no row, a verdict that flips is a row of
-- its own with its own time, and nothing is ever taken away, so that the verdicts of any day can be asked for later: training joins an
-- event with labels whose labelled_at is up to its own cut-off, however late they arrived, and never with later ones.

-- When the platform got the label; labelled_at is when the verdict was reached, which may be months earlier.
ALTER TABLE risk.risk_labels ADD COLUMN received_at TIMESTAMPTZ ENCODE AZ64;
ALTER TABLE risk.risk_labels ADD COLUMN load_id VARCHAR(64) ENCODE LZO;
ALTER TABLE risk.risk_labels ADD COLUMN loaded_at TIMESTAMPTZ ENCODE AZ64;

-- One line of a labels object. Never holds a row: each load copies into a temporary table LIKE this one. Distributed as its target.
CREATE TABLE risk.risk_labels_staging (
  event_id        VARCHAR(512) ENCODE ZSTD DISTKEY,
  label           BOOLEAN      ENCODE ZSTD,
  labelled_at     TIMESTAMPTZ  ENCODE RAW,
  source          VARCHAR(64)  ENCODE BYTEDICT,
  received_at     TIMESTAMPTZ  ENCODE AZ64
)
DISTSTYLE KEY;

-- What counts now: one row an event, its newest label. Of two sources with one time the label that arrived later counts, then the
-- source's name, so that the answer never hangs on the order of rows. first_labelled_at and labels tell a verdict that was revised.
CREATE VIEW risk.current_labels AS
SELECT event_id, label, labelled_at, source, received_at, loaded_at, first_labelled_at, labels
FROM (
  SELECT
    event_id,
    label,
    labelled_at,
    source,
    received_at,
    loaded_at,
    MIN(labelled_at) OVER (PARTITION BY event_id) AS first_labelled_at,
    COUNT(*) OVER (PARTITION BY event_id) AS labels,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY labelled_at DESC, received_at DESC NULLS LAST, source, label DESC) AS place
  FROM risk.risk_labels
) AS numbered
WHERE place = 1;

-- How much is labelled, by the week of the events, and how long verdicts take.
CREATE VIEW risk.label_coverage AS
SELECT
  DATE_TRUNC('week', e."timestamp")::DATE AS week,
  e.profile,
  COUNT(*) AS events,
  COUNT(l.event_id) AS labelled,
  SUM(CASE WHEN l.label THEN 1 ELSE 0 END) AS positives,
  AVG(DATEDIFF(hour, e."timestamp"::TIMESTAMP, l.first_labelled_at::TIMESTAMP)::DOUBLE PRECISION) / 24 AS average_days_to_label
FROM risk.risk_events e
LEFT JOIN risk.current_labels l ON l.event_id = e.event_id
GROUP BY 1, 2;

GRANT SELECT, INSERT, UPDATE, DELETE ON risk.risk_labels TO ROLE risk_loader;
GRANT SELECT ON risk.risk_labels_staging TO ROLE risk_loader;
GRANT SELECT ON risk.current_labels TO ROLE risk_analyst;
GRANT SELECT ON risk.label_coverage TO ROLE risk_bi;
