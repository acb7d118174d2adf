-- The persons on the register and who owns them. A claim whose `until` is past has run out, though its row says nothing
-- of it: the day of the question comes from whoever asks.

-- ownership_of_all --
SELECT file, registration, customer_file, customer_registration, person, sealed, has_name, has_phone, owner, ground,
       since, until, bought, ruled, last_owner, ended_at, registered_at, last_contact_at, edition
FROM __views__.ownership
WHERE site = %(site)s AND (file, registration) > (%(after_file)s, %(after_registration)s)
ORDER BY file, registration
LIMIT %(most)s

-- ownership_of_owner --
SELECT file, registration, customer_file, customer_registration, person, sealed, has_name, has_phone, owner, ground,
       since, until, bought, ruled, last_owner, ended_at, registered_at, last_contact_at, edition
FROM __views__.ownership
WHERE site = %(site)s AND owner = %(owner)s AND (until IS NULL OR until >= %(day)s)
  AND (file, registration) > (%(after_file)s, %(after_registration)s)
ORDER BY file, registration
LIMIT %(most)s

-- ownership_of_nobody --
SELECT file, registration, customer_file, customer_registration, person, sealed, has_name, has_phone, owner, ground,
       since, until, bought, ruled, last_owner, ended_at, registered_at, last_contact_at, edition
FROM __views__.ownership
WHERE site = %(site)s AND (owner IS NULL OR until < %(day)s)
  AND (file, registration) > (%(after_file)s, %(after_registration)s)
ORDER BY file, registration
LIMIT %(most)s

-- register --
-- Persons by how their customers stand on a day: owned (also those that do not run out), unowned, bought.
SELECT file, registration, customer_file, customer_registration, person, sealed, has_name, has_phone, owner, ground,
       since, until, bought, ruled, last_owner, ended_at, registered_at, last_contact_at, edition
FROM __views__.ownership
WHERE site = %(site)s
  AND (%(owner)s::uuid IS NULL OR owner = %(owner)s AND (until IS NULL OR until >= %(day)s))
  AND (%(status)s::text IS NULL
       OR %(status)s = 'owned' AND owner IS NOT NULL AND (until IS NULL OR until >= %(day)s)
       OR %(status)s = 'unowned' AND (owner IS NULL OR until < %(day)s)
       OR %(status)s = 'bought' AND bought)
  AND (file, registration) > (%(after_file)s, %(after_registration)s)
ORDER BY file, registration
LIMIT %(most)s

-- open_pool --
-- Customers, each under the first of its entries; those last in touch come first.
SELECT file, registration, customer_file, customer_registration, person, sealed, has_name, has_phone, owner, ground,
       since, until, bought, ruled, last_owner, ended_at, registered_at, last_contact_at, edition
FROM __views__.ownership
WHERE site = %(site)s AND (owner IS NULL OR until < %(day)s)
  AND first_entry
  AND (last_contact_at, file, registration) < (%(after_last_contact_at)s, %(after_file)s, %(after_registration)s)
ORDER BY last_contact_at DESC, file DESC, registration DESC
LIMIT %(most)s

-- open_pool_size --
SELECT count(*) AS customers
FROM __views__.ownership
WHERE site = %(site)s AND (owner IS NULL OR until < %(day)s)
  AND first_entry

-- lapses_unseen --
-- Claims that ran out between two days, and nothing has happened since that would have said so.
SELECT owner AS staff, count(*) AS count
FROM __views__.ownership
WHERE site = %(site)s AND owner IS NOT NULL AND first_entry
  AND until BETWEEN %(first)s::date - 1 AND %(last)s::date - 1
GROUP BY owner

-- timelines_of_file --
-- The customers that the persons of a file belong to.
SELECT t.file, t.registration, t.steps, t.position
FROM __views__.timeline t
WHERE t.site = %(site)s
  AND (t.file, t.registration) IN (
      SELECT customer_file, customer_registration FROM __views__.ownership WHERE file = %(file)s)
ORDER BY t.file, t.registration
