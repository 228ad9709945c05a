-- Decisions of the last 30 days that alerted, by day and by the rules that fired.
SELECT
  dt,
  rule,
  count(*) AS decisions,
  count(DISTINCT user_id) AS users,
  round(avg(score), 3) AS mean_score,
  round(sum(amount), 2) AS amount
FROM archive_fraud
CROSS JOIN UNNEST(flags) AS fired (rule)
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
  AND band IN ('high', 'critical')
GROUP BY dt, rule
ORDER BY dt DESC, decisions DESC, rule
