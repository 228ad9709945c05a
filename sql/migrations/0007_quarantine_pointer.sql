-- Quarantine holds nothing of a record any more: the whole record lies in the raw bucket, and its line says in which object. Rows from
-- before have no pointer, and what they held is dropped.
ALTER TABLE risk.quarantined_events DROP COLUMN payload;
ALTER TABLE risk.quarantined_events ADD COLUMN size_bytes BIGINT ENCODE AZ64;
ALTER TABLE risk.quarantined_events ADD COLUMN raw_key VARCHAR(1100) ENCODE ZSTD;
ALTER TABLE risk.quarantined_events ADD COLUMN raw_line BIGINT ENCODE AZ64;

ALTER TABLE risk.quarantined_events_staging DROP COLUMN payload;
ALTER TABLE risk.quarantined_events_staging ADD COLUMN size_bytes BIGINT ENCODE AZ64;
ALTER TABLE risk.quarantined_events_staging ADD COLUMN raw_key VARCHAR(1100) ENCODE ZSTD;
ALTER TABLE risk.quarantined_events_staging ADD COLUMN raw_line BIGINT ENCODE AZ64;

-- detail and event_id of rows from before may quote their records.
UPDATE risk.quarantined_events SET detail = 'Quarantined before details quoted nothing; its record is gone.', event_id = NULL;
