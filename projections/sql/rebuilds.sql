-- Rebuilds and checks on record, with what they found; what could not be taken into views; who keeps the views live.

-- rebuilds --
-- The latest first.
SELECT id, mode, views, asked_by, status, stage, started_at, ended_at, position, folded, seconds, compared,
       differences, cancel, message
FROM __views__.rebuild
WHERE (%(mode)s::text IS NULL OR mode = %(mode)s AND status = 'done')
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC
LIMIT %(most)s

-- rebuild_of_number --
SELECT id, mode, views, asked_by, status, stage, started_at, ended_at, position, folded, seconds, compared,
       differences, cancel, message
FROM __views__.rebuild
WHERE id = %(id)s

-- differences_of --
SELECT number, view, key, columns, live, fresh, facts, note
FROM __views__.difference
WHERE rebuild = %(id)s
ORDER BY number

-- differences_of_site --
-- What is found of one site; a row's site is what the facts say, and else what stands in the live row.
SELECT number, view, key, columns, live, fresh, facts, note
FROM __views__.difference
WHERE rebuild = %(id)s AND coalesce(fresh, live)->>'site' = %(site)s::text AND number > %(after)s
ORDER BY number
LIMIT %(most)s

-- differences_of_site_count --
SELECT count(*)
FROM __views__.difference
WHERE rebuild = %(id)s AND coalesce(fresh, live)->>'site' = %(site)s::text

-- rebuild_cancelled --
UPDATE __views__.rebuild SET cancel = true WHERE status = 'running' RETURNING id

-- rebuilds_pruned --
-- The differences go with them.
DELETE FROM __views__.rebuild
WHERE status <> 'running' AND id NOT IN (SELECT id FROM __views__.rebuild ORDER BY id DESC LIMIT %(keep)s)

-- parked_streams --
SELECT view, stream, position, name, reason, since, tries
FROM __views__.parked
WHERE view = ANY(%(views)s)
ORDER BY view, position, stream

-- holder_of_lock --
-- What the program calls itself that holds an advisory lock of one number. (Its address and age are not ours to see.)
SELECT coalesce(a.application_name, '') AS name
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(%(lock)s, 0)
