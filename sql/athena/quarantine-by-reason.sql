-- Records of the last 30 days that could not be scored, by day, profile and reason.
SELECT
  dt,
  profile,
  reason,
  count(*) AS records,
  sum(size_bytes) AS bytes,
  min(arrived_at) AS first_arrival,
  max(arrived_at) AS last_arrival
FROM quarantine
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY dt, profile, reason
ORDER BY dt DESC, records DESC, profile, reason
