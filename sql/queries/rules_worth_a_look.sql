-- Rules that hardly ever fire, or fire on nearly everything, are of little use.
SELECT profile, policy_version, rule, hits, events, ROUND((hit_rate * 100)::NUMERIC(18, 6), 2) AS percent_of_events
FROM risk.rule_hit_rates
WHERE hit_rate < 0.001 OR hit_rate > 0.5
ORDER BY profile, hit_rate;
