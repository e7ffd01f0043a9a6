-- A moderator works on one reported case: @TICKET@.
\echo ## the case: what was reported, and why
SELECT r.id, r.reason, r.state, r.created, r.video_id, v.title, v.caption
  FROM reports r JOIN videos v ON v.id = r.video_id
 WHERE r.ticket = '@TICKET@';
\echo ## whose video it is
SELECT u.id, u.handle, u.joined, p.display_name, p.bio
  FROM reports r
  JOIN videos v ON v.id = r.video_id
  JOIN users u ON u.id = v.owner_id
  JOIN profiles p ON p.user_id = u.id
 WHERE r.ticket = '@TICKET@';
\echo ## what is said under it
SELECT c.created, c.author_id, c.body FROM comments c
 WHERE c.video_id = (SELECT video_id FROM reports WHERE ticket = '@TICKET@')
 ORDER BY c.created DESC LIMIT 20;
\echo ## other reports against the same owner
SELECT r.ticket, r.reason, r.state FROM reports r
  JOIN videos v ON v.id = r.video_id
 WHERE v.owner_id = (SELECT v2.owner_id FROM reports r2
	JOIN videos v2 ON v2.id = r2.video_id WHERE r2.ticket = '@TICKET@');
