-- holds --
-- Up to where all of some views hold, and how many streams were left out of one of them.
SELECT count(*), min(position), min(known_until),
       (SELECT count(DISTINCT stream) FROM __views__.parked WHERE view = ANY(%(views)s))
FROM __views__.view
WHERE name = ANY(%(views)s)
