-- The feed service: what it does when one user opens the app. @USER@ is
-- whose, @VIDEO@ what they watched.
\echo ## sign in: who is this
SELECT u.id, u.handle, u.country, p.display_name, p.interests
  FROM users u JOIN profiles p ON p.user_id = u.id WHERE u.id = @USER@;
\echo ## home timeline of those they follow
PREPARE timeline(bigint) AS
SELECT v.id, v.title, v.created, u.handle
  FROM follows f
  JOIN videos v ON v.owner_id = f.followed_id
  JOIN users u ON u.id = v.owner_id
 WHERE f.follower_id = $1 AND NOT v.hidden
 ORDER BY v.created DESC LIMIT 20;
EXECUTE timeline(@USER@);
\echo ## popular near them this week
SELECT w.video_id, count(*) AS views
  FROM watch_events w
 WHERE w.watched >= '2026-10-24' AND w.city =
       (SELECT city FROM watch_events WHERE user_id = @USER@
           AND watched < '2026-11-01' ORDER BY watched DESC LIMIT 1)
 GROUP BY w.video_id ORDER BY views DESC LIMIT 10;
\echo ## comments under the video most talked about
SELECT c.body, u.handle FROM comments c JOIN users u ON u.id = c.author_id
 WHERE c.video_id = (SELECT v.id FROM follows f
	JOIN videos v ON v.owner_id = f.followed_id
	JOIN comments c2 ON c2.video_id = v.id
	WHERE f.follower_id = @USER@
	GROUP BY v.id ORDER BY count(*) DESC LIMIT 1);
\echo ## they watched something: write it down
BEGIN;
INSERT INTO watch_events (user_id, video_id, seconds, device, ip, city)
VALUES (@USER@, @VIDEO@, 42, 'Larch Tab', '192.0.2.77', 'here');
INSERT INTO likes (user_id, video_id)
VALUES (@USER@, @VIDEO@) ON CONFLICT DO NOTHING;
COMMIT;
\echo ## a batch from their phone
COPY watch_events (user_id, video_id, seconds, device, ip, city) FROM STDIN;
@USER@	@VIDEO@	7	Larch Tab	192.0.2.77	here
@USER@	@VIDEO@	65	Larch Tab	192.0.2.77	here
\.
