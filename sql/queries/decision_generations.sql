-- What each replay changed: how many events of each band went to which other one.
SELECT
  decision_generation,
  profile,
  band_before,
  band_after,
  events,
  average_difference,
  largest_difference
FROM risk.decision_generation_changes
WHERE band_before <> band_after
ORDER BY decision_generation DESC, profile, events DESC;
