-- Settings of the database, of the server or of the administrator that the installation must not depend on:
-- how SQL is read, what names and values look like, when a session ends. For this transaction alone; each
-- connection of the archiver's commands as an administrator has the same (core/pins.ts).

set local standard_conforming_strings = on;
set local backslash_quote = safe_encoding;
set local quote_all_identifiers = off;
set local DateStyle = 'ISO, YMD';
set local IntervalStyle = postgres;
set local extra_float_digits = 1;
set local bytea_output = hex;
set local xmlbinary = base64;
set local xmloption = content;
set local array_nulls = on;
set local transform_null_equals = off;
set local row_security = on;
set local check_function_bodies = on;
set local default_table_access_method = heap;
set local default_transaction_isolation = 'read committed';
set local default_transaction_read_only = off;
set local default_transaction_deferrable = off;
set local exit_on_error = off;
set local jit = off;
set local statement_timeout = 0;
set local lock_timeout = '1min';
set local idle_in_transaction_session_timeout = 0;
set local idle_session_timeout = 0;
set local search_path = "$user", public;
