-- The last loads: lines read = inserted + updated + duplicates.
SELECT loaded_at, target, objects, "rows", inserted, updated, duplicates, DATEDIFF(second, newest_at::TIMESTAMP, loaded_at::TIMESTAMP) AS lag_seconds
FROM risk.loads
ORDER BY loaded_at DESC
LIMIT 20;
