-- Who may do what. A person or function gets one of these roles, never a grant of its own.
--   risk_loader   writes events, quarantine and the ledger; the loader function's IAM role carries it in its tag RedshiftDbRoles.
--   risk_analyst  reads every score with its reasons and features, but neither the tokenised input, nor what lies in quarantine
--                 (hostile or malformed text that was never classified field by field), nor where a record came from.
--                 user_id is a token: an analyst can follow one user through time without learning who it is.
--   risk_bi       reads the views alone. A dashboard needs no single events, so a leaked BI password shows aggregates and tokens.
-- Views run with their owner's rights on the tables below them, so the roles need nothing there.

CREATE ROLE risk_loader;
CREATE ROLE risk_analyst;
CREATE ROLE risk_bi;

GRANT USAGE ON SCHEMA risk TO ROLE risk_loader;
GRANT USAGE ON SCHEMA risk TO ROLE risk_analyst;
GRANT USAGE ON SCHEMA risk TO ROLE risk_bi;

GRANT SELECT, INSERT, UPDATE, DELETE ON risk.risk_events TO ROLE risk_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON risk.quarantined_events TO ROLE risk_loader;
GRANT SELECT ON risk.risk_events_staging TO ROLE risk_loader;
GRANT SELECT ON risk.quarantined_events_staging TO ROLE risk_loader;
GRANT SELECT, INSERT ON risk.loads TO ROLE risk_loader;
GRANT SELECT, INSERT ON risk.load_ledger TO ROLE risk_loader;
-- LOCK asks for a right to write.
GRANT SELECT, INSERT, UPDATE, DELETE ON risk.load_lock TO ROLE risk_loader;

GRANT SELECT (
  event_id, profile, source, user_id, "timestamp", scored_at, score, score_scale, band, model_version, policy_version, flags,
  reasons, geo_flag, velocity_flag, amount_flag, hour_flag, amount, currency, category, country, latitude, longitude,
  distance_km, speed_kmh, features, loaded_at
) ON risk.risk_events TO ROLE risk_analyst;
GRANT SELECT (profile, source, arrived_at, reason, loaded_at) ON risk.quarantined_events TO ROLE risk_analyst;
GRANT SELECT ON risk.loads TO ROLE risk_analyst;

GRANT SELECT ON risk.scores_by_day_band TO ROLE risk_bi;
GRANT SELECT ON risk.top_risky_users TO ROLE risk_bi;
GRANT SELECT ON risk.rule_hit_rates TO ROLE risk_bi;
GRANT SELECT ON risk.geography TO ROLE risk_bi;
GRANT SELECT ON risk.model_comparison TO ROLE risk_bi;
GRANT SELECT ON risk.freshness TO ROLE risk_bi;
GRANT SELECT ON risk.quarantine_by_reason TO ROLE risk_bi;

-- An analyst sees all that a dashboard does.
GRANT ROLE risk_bi TO ROLE risk_analyst;
