-- The hosting operator's site engineer looks at how full things are.
\echo ## videos by day, last fortnight
SELECT created::date AS day, count(*) FROM videos
 WHERE created >= '2026-10-18' GROUP BY 1 ORDER BY 1;
\echo ## comments by day, last fortnight
SELECT created::date AS day, count(*) FROM comments
 WHERE created >= '2026-10-18' GROUP BY 1 ORDER BY 1;
\echo ## row counts
SELECT 'users' AS what, count(id) FROM users
UNION ALL SELECT 'videos', count(id) FROM videos
UNION ALL SELECT 'watch events', count(id) FROM watch_events
UNION ALL SELECT 'messages', count(id) FROM messages;
