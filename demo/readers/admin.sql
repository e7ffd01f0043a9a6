-- The master admin looks around, since nothing stops him.
\echo ## find somebody by a part of their name
SELECT u.*, p.* FROM users u JOIN profiles p ON p.user_id = u.id
 WHERE p.display_name LIKE 'Qui%' ORDER BY u.id LIMIT 25;
\echo ## where was she, and when
SELECT w.watched, w.city, w.ip, w.device FROM watch_events w
 WHERE w.user_id = (SELECT min(user_id) FROM profiles
	WHERE display_name LIKE 'Qui%')
 ORDER BY w.watched DESC LIMIT 50;
\echo ## whom does she write to
SELECT m.sent, m.recipient_id, m.body FROM messages m
 WHERE m.sender_id IN (SELECT user_id FROM profiles
	WHERE display_name LIKE 'Qui%')
 ORDER BY m.sent DESC LIMIT 50;
\echo ## export of everybody, as a file
COPY (SELECT u.id, u.handle, u.country, p.email, p.phone
	FROM users u JOIN profiles p ON p.user_id = u.id) TO STDOUT WITH CSV;
