-- Keys, foreign keys and indexes of the platform's tables, the rights of its
-- two roles, and statistics: run once the data is loaded.
ALTER TABLE public.users ADD PRIMARY KEY (id);
ALTER TABLE public.users ADD UNIQUE (handle);
ALTER TABLE public.profiles ADD PRIMARY KEY (user_id);
ALTER TABLE public.videos ADD PRIMARY KEY (id);
ALTER TABLE public.comments ADD PRIMARY KEY (id);
ALTER TABLE public.likes ADD PRIMARY KEY (user_id, video_id);
ALTER TABLE public.follows ADD PRIMARY KEY (follower_id, followed_id);
ALTER TABLE public.watch_events ADD PRIMARY KEY (id);
ALTER TABLE public.messages ADD PRIMARY KEY (id);
ALTER TABLE public.reports ADD PRIMARY KEY (id);

CREATE INDEX ON public.videos (owner_id, created);
CREATE INDEX ON public.comments (video_id);
CREATE INDEX ON public.comments (author_id);
CREATE INDEX ON public.likes (video_id);
CREATE INDEX ON public.follows (followed_id);
CREATE INDEX ON public.watch_events (user_id, watched);
CREATE INDEX ON public.watch_events (video_id);
CREATE INDEX ON public.messages (sender_id);
CREATE INDEX ON public.messages (recipient_id, sent);
CREATE INDEX ON public.reports (video_id);
CREATE INDEX ON public.reports (reporter_id);
CREATE INDEX ON public.reports (ticket);

ALTER TABLE public.profiles ADD FOREIGN KEY (user_id) REFERENCES public.users;
ALTER TABLE public.videos ADD FOREIGN KEY (owner_id) REFERENCES public.users;
ALTER TABLE public.comments
	ADD FOREIGN KEY (video_id) REFERENCES public.videos,
	ADD FOREIGN KEY (author_id) REFERENCES public.users;
ALTER TABLE public.likes
	ADD FOREIGN KEY (user_id) REFERENCES public.users,
	ADD FOREIGN KEY (video_id) REFERENCES public.videos;
ALTER TABLE public.follows
	ADD FOREIGN KEY (follower_id) REFERENCES public.users,
	ADD FOREIGN KEY (followed_id) REFERENCES public.users;
ALTER TABLE public.watch_events
	ADD FOREIGN KEY (user_id) REFERENCES public.users,
	ADD FOREIGN KEY (video_id) REFERENCES public.videos;
ALTER TABLE public.messages
	ADD FOREIGN KEY (sender_id) REFERENCES public.users,
	ADD FOREIGN KEY (recipient_id) REFERENCES public.users;
ALTER TABLE public.reports
	ADD FOREIGN KEY (video_id) REFERENCES public.videos,
	ADD FOREIGN KEY (reporter_id) REFERENCES public.users;

SELECT setval(pg_get_serial_sequence('public.comments', 'id'),
	(SELECT max(id) FROM public.comments));
SELECT setval(pg_get_serial_sequence('public.watch_events', 'id'),
	(SELECT max(id) FROM public.watch_events));
SELECT setval(pg_get_serial_sequence('public.messages', 'id'),
	(SELECT max(id) FROM public.messages));
SELECT setval(pg_get_serial_sequence('public.reports', 'id'),
	(SELECT max(id) FROM public.reports));

-- The platform's own service, and the login that staff have always shared.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO feed;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO feed;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO staff;
VACUUM ANALYZE;
