-- What analysts, dashboards and mappers ask of the demo's tables, one a
-- paragraph. How many of them are exact is counted by test_corpus.py.

SELECT count(*) FROM users

SELECT country, count(*) AS n FROM users GROUP BY country ORDER BY n DESC

SELECT date_trunc('month', joined) AS month, count(*) FROM users GROUP BY 1 ORDER BY 1

SELECT u.id, u.handle, p.display_name FROM users u JOIN profiles p ON p.user_id = u.id WHERE u.id = $1

SELECT * FROM users WHERE handle = $1 LIMIT 1

SELECT "users"."id" AS "users_id", "users"."handle" AS "users_handle" FROM "users" WHERE "users"."id" = $1

SELECT users.id, users.handle, users.country FROM users ORDER BY users.joined DESC LIMIT 50

SELECT v.* FROM videos v WHERE v.owner_id = $1 ORDER BY v.created DESC LIMIT 20

SELECT v.id, v.title, count(l.user_id) AS likes FROM videos v LEFT JOIN likes l ON l.video_id = v.id GROUP BY v.id, v.title ORDER BY likes DESC LIMIT 10

SELECT owner_id, count(*) AS videos FROM videos GROUP BY owner_id HAVING count(*) > 10 ORDER BY videos DESC

SELECT w.city, count(*) AS views, count(DISTINCT w.user_id) AS people FROM watch_events w WHERE w.watched >= now() - interval '7 days' GROUP BY w.city ORDER BY views DESC

SELECT date_trunc('day', watched)::date AS day, count(DISTINCT user_id) AS dau FROM watch_events WHERE watched >= $1 AND watched < $2 GROUP BY 1 ORDER BY 1

SELECT device, avg(seconds), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median FROM watch_events GROUP BY device ORDER BY device

SELECT CASE WHEN seconds < 10 THEN 'short' WHEN seconds < 60 THEN 'medium' ELSE 'long' END AS bucket, count(*) FROM watch_events GROUP BY 1 ORDER BY 2 DESC

WITH active AS (SELECT user_id, count(*) AS n FROM watch_events WHERE watched >= $1 GROUP BY user_id) SELECT u.country, count(*) AS people, sum(a.n) AS views FROM active a JOIN users u ON u.id = a.user_id GROUP BY u.country ORDER BY u.country

WITH first_watch AS (SELECT user_id, min(watched) AS at FROM watch_events GROUP BY user_id) SELECT date_trunc('week', f.at) AS cohort, count(*) FROM first_watch f GROUP BY 1 ORDER BY 1

SELECT u.id, u.handle FROM users u WHERE EXISTS (SELECT 1 FROM videos v WHERE v.owner_id = u.id AND NOT v.hidden) ORDER BY u.id LIMIT 100

SELECT u.id, u.handle FROM users u WHERE u.id IN (SELECT owner_id FROM videos WHERE created >= $1) ORDER BY u.handle

SELECT DISTINCT city FROM watch_events ORDER BY city

SELECT DISTINCT u.country, w.device FROM users u JOIN watch_events w ON w.user_id = u.id ORDER BY 1, 2

SELECT DISTINCT ON (user_id) user_id, watched, video_id FROM watch_events ORDER BY user_id, watched DESC

SELECT u.handle, last.watched FROM users u CROSS JOIN LATERAL (SELECT w.watched FROM watch_events w WHERE w.user_id = u.id ORDER BY w.watched DESC LIMIT 1) last ORDER BY u.handle LIMIT 20

SELECT v.id, v.title, (SELECT count(*) FROM likes l WHERE l.video_id = v.id) AS likes FROM videos v WHERE v.owner_id = $1 ORDER BY v.id

SELECT 'users' AS what, count(*) FROM users UNION ALL SELECT 'videos', count(*) FROM videos UNION ALL SELECT 'likes', count(*) FROM likes ORDER BY 1

SELECT date_part('hour', watched) AS hour, count(*) FROM watch_events GROUP BY hour ORDER BY hour

SELECT count(*) FILTER (WHERE seconds > 30) AS long, count(*) AS all FROM watch_events WHERE watched >= $1

SELECT max(watched), min(watched) FROM watch_events WHERE user_id = $1

SELECT u.country, round(avg(w.seconds), 1) AS seconds FROM users u JOIN watch_events w ON w.user_id = u.id WHERE w.watched BETWEEN $1 AND $2 GROUP BY u.country HAVING count(*) >= 100 ORDER BY u.country

SELECT p.interests, count(*) FROM profiles p WHERE p.interests <> '' GROUP BY p.interests ORDER BY count(*) DESC LIMIT 25

SELECT t.name, count(*) FROM topics t JOIN profiles p ON p.interests LIKE '%' || t.name || '%' GROUP BY t.name ORDER BY 2 DESC

SELECT d::date AS day, count(v.id) FROM generate_series($1::date, $2::date, interval '1 day') d LEFT JOIN videos v ON v.created::date = d::date GROUP BY 1 ORDER BY 1

SELECT json_agg(json_build_object('id', v.id, 'title', v.title) ORDER BY v.id) FROM videos v WHERE v.owner_id = $1

SELECT string_agg(handle, ', ' ORDER BY handle) FROM users WHERE country = $1

SELECT u.id, u.handle, v.id AS video FROM users u LEFT JOIN videos v ON v.owner_id = u.id WHERE u.country = 'US' ORDER BY u.id, v.id

SELECT u.id FROM users u JOIN profiles p ON p.user_id = u.id WHERE p.display_name ILIKE $1 AND u.born < '2000-01-01' ORDER BY u.id LIMIT 25

SELECT w.user_id, sum(w.seconds) AS seconds FROM watch_events w GROUP BY w.user_id ORDER BY w.user_id

SELECT x.country, x.n FROM (SELECT country, count(*) AS n FROM users GROUP BY country) x ORDER BY x.n DESC

SELECT x.country FROM (SELECT country, count(*) AS n FROM users GROUP BY country) x WHERE x.n > 100

SELECT coalesce(w.device, 'none') AS device, count(*) FROM watch_events w GROUP BY 1 ORDER BY 1

SELECT v.id, v.title, v.created FROM videos v WHERE v.hidden = false AND v.created > now() - interval '30 days' ORDER BY v.created DESC LIMIT 100

SELECT w.* FROM watch_events w WHERE w.user_id = ANY($1) ORDER BY w.id LIMIT 1000

SELECT count(DISTINCT w.user_id) FROM watch_events w JOIN videos v ON v.id = w.video_id WHERE v.owner_id = $1

SELECT v.owner_id, count(*) AS views FROM watch_events w JOIN videos v ON v.id = w.video_id GROUP BY 1 ORDER BY 2 DESC LIMIT 10

SELECT a.user_id, b.user_id, count(*) AS both FROM likes a JOIN likes b ON b.video_id = a.video_id AND a.user_id < b.user_id GROUP BY 1, 2 HAVING count(*) >= 5 ORDER BY 3 DESC LIMIT 50

SELECT u.handle, (SELECT max(v.created) FROM videos v WHERE v.owner_id = u.id) AS latest FROM users u WHERE u.id = $1

SELECT "t0"."id", "t0"."handle", "t1"."display_name" FROM "users" AS "t0" LEFT OUTER JOIN "profiles" AS "t1" ON "t1"."user_id" = "t0"."id" WHERE ("t0"."id" = $1)

SELECT (date_trunc('week', w.watched AT TIME ZONE 'UTC')) AS week, w.device, count(*) AS count FROM watch_events w GROUP BY (date_trunc('week', w.watched AT TIME ZONE 'UTC')), w.device ORDER BY 1 ASC, 2 ASC

SELECT 1 AS one FROM users WHERE users.handle = $1 LIMIT 1

SELECT id, title FROM videos WHERE to_tsvector('english', title) @@ plainto_tsquery('english', $1) ORDER BY id LIMIT 20

SELECT video_id, array_agg(DISTINCT city) FROM watch_events WHERE video_id IN ($1, $2, $3) GROUP BY video_id ORDER BY video_id

SELECT u.country, extract(year FROM age(u.born))::int / 10 * 10 AS decade, count(*) FROM users u GROUP BY 1, 2 ORDER BY 1, 2

SELECT min(seconds), max(seconds), avg(seconds), stddev(seconds) FROM watch_events

SELECT w.video_id, count(*) AS views FROM watch_events w WHERE w.city = (SELECT city FROM watch_events WHERE id = $1) GROUP BY w.video_id ORDER BY views DESC LIMIT 10

SELECT handle FROM users WHERE id = (SELECT owner_id FROM videos WHERE id = $1)

WITH l AS MATERIALIZED (SELECT video_id, count(*) AS n FROM likes GROUP BY video_id) SELECT v.title, l.n FROM videos v JOIN l ON l.video_id = v.id ORDER BY l.n DESC LIMIT 10

SELECT u.id FROM users u WHERE u.joined::date = current_date ORDER BY u.id

SELECT concat(u.handle, ' (', u.country, ')') AS label, u.id AS value FROM users u WHERE u.handle LIKE $1 ORDER BY label LIMIT 10

SELECT count(*) AS count FROM (SELECT 1 FROM videos WHERE owner_id = $1 LIMIT 1001) sub

SELECT v.id, array_length(string_to_array(v.title, ' '), 1) AS words FROM videos v ORDER BY v.id LIMIT 500

SELECT u.country, w.device, count(*) AS n, sum(w.seconds) AS s FROM users u INNER JOIN watch_events w ON (u.id = w.user_id) WHERE (u.country IN ('US', 'IE')) GROUP BY u.country, w.device ORDER BY u.country, w.device

SELECT user_id, count(*) FROM likes WHERE created >= $1 GROUP BY user_id HAVING count(*) > 100

SELECT handle FROM users WHERE country = 'US' UNION SELECT display_name FROM profiles WHERE interests = 'music' ORDER BY 1

SELECT user_id FROM likes WHERE video_id = $1 UNION SELECT author_id FROM comments WHERE video_id = $1

SELECT owner_id FROM videos INTERSECT SELECT author_id FROM comments

SELECT video_id FROM likes WHERE user_id = $1 INTERSECT SELECT video_id FROM likes WHERE user_id = $2 ORDER BY 1

SELECT x.who, count(*) FROM (SELECT user_id AS who, video_id FROM likes UNION SELECT author_id, video_id FROM comments) x GROUP BY x.who ORDER BY x.who

SELECT country, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent FROM users GROUP BY country ORDER BY country

SELECT user_id, watched, row_number() OVER (PARTITION BY user_id ORDER BY watched) FROM watch_events

SELECT * FROM (SELECT w.*, row_number() OVER (PARTITION BY w.user_id ORDER BY w.watched DESC) AS rn FROM watch_events w) t WHERE t.rn = 1

WITH ranked AS (SELECT v.owner_id, v.id, v.title, rank() OVER (PARTITION BY v.owner_id ORDER BY v.created DESC) AS r FROM videos v) SELECT owner_id, id, title FROM ranked WHERE r <= 3

SELECT video_id, count(*) AS likes, rank() OVER (ORDER BY count(*) DESC) AS place FROM likes GROUP BY video_id ORDER BY place LIMIT 10

SELECT day, views, sum(views) OVER (ORDER BY day) AS running FROM (SELECT watched::date AS day, count(*) AS views FROM watch_events GROUP BY 1) d ORDER BY day

SELECT day, views, avg(views) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week FROM (SELECT watched::date AS day, count(*) AS views FROM watch_events GROUP BY 1) d ORDER BY day

SELECT user_id, watched, watched - lag(watched) OVER (PARTITION BY user_id ORDER BY watched) AS pause FROM watch_events WHERE user_id = $1 ORDER BY watched

SELECT u.id, u.handle, ntile(4) OVER (ORDER BY u.joined) AS quarter FROM users u ORDER BY u.id

SELECT id, handle, joined, first_value(handle) OVER w AS first FROM users WINDOW w AS (PARTITION BY country ORDER BY joined) ORDER BY id

SELECT "users".* FROM "users" INNER JOIN "profiles" ON "profiles"."user_id" = "users"."id" WHERE "profiles"."email" = $1 ORDER BY "users"."id" ASC LIMIT 1

SELECT COUNT(*) FROM "videos" WHERE "videos"."owner_id" = $1 AND "videos"."hidden" = $2

SELECT "comments"."id", "comments"."body", "users"."handle" FROM "comments" INNER JOIN "users" ON "users"."id" = "comments"."author_id" WHERE "comments"."video_id" IN ($1, $2, $3) ORDER BY "comments"."created" DESC LIMIT 100

SELECT EXISTS (SELECT 1 FROM likes WHERE user_id = $1 AND video_id = $2)

SELECT r.state, count(*) FROM reports r GROUP BY r.state ORDER BY r.state

SELECT r.id, r.reason, r.created, v.title, u.handle AS owner FROM reports r JOIN videos v ON v.id = r.video_id JOIN users u ON u.id = v.owner_id WHERE r.state = 'open' ORDER BY r.created LIMIT 50

SELECT f.followed_id, count(*) AS followers FROM follows f GROUP BY f.followed_id HAVING count(*) >= 1000 ORDER BY followers DESC LIMIT 20

SELECT a.follower_id, a.followed_id FROM follows a JOIN follows b ON b.follower_id = a.followed_id AND b.followed_id = a.follower_id WHERE a.follower_id < a.followed_id

SELECT to_char(date_trunc('month', m.sent), 'YYYY-MM') AS month, count(*) FROM messages m GROUP BY 1 ORDER BY 1

SELECT m.* FROM messages m WHERE (m.sender_id = $1 AND m.recipient_id = $2) OR (m.sender_id = $2 AND m.recipient_id = $1) ORDER BY m.sent

SELECT u.country, count(DISTINCT u.id) AS users, count(v.id) AS videos FROM users u LEFT JOIN videos v ON v.owner_id = u.id GROUP BY u.country ORDER BY u.country

SELECT width_bucket(extract(epoch FROM now() - joined)::numeric, 0, 100000000, 10) AS bucket, count(*) FROM users GROUP BY 1 ORDER BY 1

SELECT w.city, w.device, count(*) FROM watch_events w WHERE w.watched BETWEEN $1 AND $2 AND w.city IS NOT NULL GROUP BY w.city, w.device ORDER BY 3 DESC, 1, 2 LIMIT 100

WITH days AS (SELECT generate_series($1::date, $2::date, '1 day')::date AS day) SELECT days.day, count(w.id) FROM days LEFT JOIN watch_events w ON w.watched::date = days.day GROUP BY days.day ORDER BY days.day

SELECT u.id, x.n FROM users u LEFT JOIN LATERAL (SELECT count(*) AS n FROM follows f WHERE f.followed_id = u.id) x ON true WHERE u.country = $1 ORDER BY u.id

SELECT n.city, n.people FROM (SELECT city, count(DISTINCT user_id) AS people FROM watch_events GROUP BY city) n WHERE n.people >= 20 ORDER BY n.city

SELECT id, handle FROM users WHERE lower(handle) IN (lower($1), lower($2)) ORDER BY id

-- From here on it takes absence, ranks or totals: none of it can be listed.

SELECT u.id FROM users u LEFT JOIN watch_events w ON w.user_id = u.id WHERE w.id IS NULL

SELECT u.id FROM users u WHERE NOT EXISTS (SELECT 1 FROM videos v WHERE v.owner_id = u.id)

SELECT id, handle FROM users ORDER BY id LIMIT 20 OFFSET 40

SELECT user_id, sum(seconds) AS s FROM watch_events GROUP BY user_id ORDER BY s DESC LIMIT 10

SELECT country, avg(seconds) FROM users JOIN watch_events ON user_id = users.id GROUP BY country HAVING avg(seconds) > 30

SELECT a.user_id FROM likes a WHERE a.user_id NOT IN (SELECT author_id FROM comments)

SELECT r.*, u.handle FROM (SELECT w.*, row_number() OVER (PARTITION BY w.user_id ORDER BY w.watched DESC) AS rn FROM watch_events w) r JOIN users u ON u.id = r.user_id WHERE r.rn = 1

SELECT id FROM users EXCEPT SELECT user_id FROM profiles
