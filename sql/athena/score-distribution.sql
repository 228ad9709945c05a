-- Scores of the last 30 days by model version, policy version and tenth of the scale, with their share of the version's scores.
WITH scores AS (
  SELECT
    model_version,
    policy_version,
    CASE WHEN score >= score_scale THEN 9 ELSE CAST(floor(10 * score / score_scale) AS bigint) END AS tenth,
    score,
    features.amount AS amount
  FROM archive_fraud
  WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT
  model_version,
  policy_version,
  tenth,
  count(*) AS decisions,
  round(CAST(count(*) AS double) / sum(count(*)) OVER (PARTITION BY model_version, policy_version), 4) AS share,
  round(approx_percentile(score, 0.5), 4) AS median_score,
  round(approx_percentile(amount, 0.5), 2) AS median_amount
FROM scores
GROUP BY model_version, policy_version, tenth
ORDER BY model_version, policy_version, tenth
