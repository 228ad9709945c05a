-- Events of the last 30 days that were scored more than five minutes after they happened, by day and channel.
WITH delays AS (
  SELECT
    dt,
    coalesce(json_extract_scalar(input, '$.channel'), 'unknown') AS channel,
    date_diff('second', from_iso8601_timestamp(occurred_at), from_iso8601_timestamp(scored_at)) AS seconds
  FROM archive_fraud
  WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT
  dt,
  channel,
  count(*) AS events,
  count_if(seconds > 300) AS late,
  round(CAST(approx_percentile(seconds, 0.95) AS double) / 60, 1) AS minutes_p95,
  round(CAST(max(seconds) AS double) / 3600, 2) AS longest_hours
FROM delays
GROUP BY dt, channel
HAVING count_if(seconds > 300) > 0
ORDER BY dt DESC, late DESC, channel
