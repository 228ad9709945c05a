-- The last batches, each beside the previous day of its dataset: shows missing rows, or an average that jumps.
SELECT
  day,
  dataset,
  model_version,
  "rows",
  "rows" - LAG("rows") OVER (PARTITION BY dataset ORDER BY day, model_version) AS more_rows,
  average_risk,
  average_risk - LAG(average_risk) OVER (PARTITION BY dataset ORDER BY day, model_version) AS shift,
  share_above_80_percent
FROM risk.batch_scores_by_day
ORDER BY day DESC, dataset, model_version
LIMIT 60;
