-- A reliability engineer looks for accounts that a failed copy left behind.
\echo ## the newest accounts, after a failed copy
SELECT id, handle, joined FROM users ORDER BY joined DESC, id LIMIT 12;
