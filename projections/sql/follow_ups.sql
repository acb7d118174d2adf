-- Whom owners have to look after, those whose protection runs out first before the others.

-- lapsing --
SELECT f.file, f.registration, o.person, o.sealed, o.has_name, o.has_phone, f.owner, f.until, f.registered_at,
       f.visited_at, f.follow_ups, f.followed_up_at, f.last_contact_at, f.until AS falls_due
FROM __views__.follow_ups_due f JOIN __views__.ownership o USING (file, registration)
WHERE f.site = %(site)s AND f.until BETWEEN %(day)s AND %(through)s
  AND (%(owner)s::uuid IS NULL OR f.owner = %(owner)s)
  AND (f.until, f.file, f.registration) > (%(after_falls_due)s, %(after_file)s, %(after_registration)s)
ORDER BY f.until, f.file, f.registration
LIMIT %(most)s

-- follow_ups_due --
SELECT f.file, f.registration, o.person, o.sealed, o.has_name, o.has_phone, f.owner, f.until, f.registered_at,
       f.visited_at, f.follow_ups, f.followed_up_at, f.last_contact_at, coalesce(f.until, '9999-12-31') AS falls_due
FROM __views__.follow_ups_due f JOIN __views__.ownership o USING (file, registration)
WHERE f.site = %(site)s AND (f.until IS NULL OR f.until >= %(day)s)
  AND (f.until <= %(through)s
       OR f.follow_ups < %(fewest)s
       OR f.visited_at >= %(day_begins)s AND f.visited_at < %(day_ends)s
          AND (f.followed_up_at IS NULL OR f.followed_up_at < %(day_begins)s))
  AND (%(owner)s::uuid IS NULL OR f.owner = %(owner)s)
  AND (coalesce(f.until, '9999-12-31'), f.file, f.registration)
      > (%(after_falls_due)s, %(after_file)s, %(after_registration)s)
ORDER BY falls_due, f.file, f.registration
LIMIT %(most)s
