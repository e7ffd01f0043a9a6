-- A data scientist's working day.
\echo ## engagement by city, October
SELECT city, count(*) AS views, count(DISTINCT user_id) AS people,
       round(avg(seconds), 1) AS seconds
  FROM watch_events WHERE watched >= '2026-10-01'
 GROUP BY city ORDER BY views DESC;
\echo ## watch time of cohorts, by month of joining
SELECT date_trunc('month', u.joined)::date AS cohort, count(DISTINCT u.id),
       sum(w.seconds) / 3600 AS hours
  FROM users u JOIN watch_events w ON w.user_id = u.id
 WHERE w.watched >= '2026-08-01'
 GROUP BY 1 ORDER BY 1;
\echo ## heavy watchers for the export, with their interests
SELECT u.id, u.handle, p.email, p.interests, sum(w.seconds) AS seconds
  FROM users u
  JOIN profiles p ON p.user_id = u.id
  JOIN watch_events w ON w.user_id = u.id
 WHERE w.watched >= '2026-10-01'
 GROUP BY u.id, u.handle, p.email, p.interests
 ORDER BY seconds DESC LIMIT 500;
