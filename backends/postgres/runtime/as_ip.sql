
-- One IPv4 or IPv6 address. What is no address is found by its shape and not by
-- a failing cast: an exception block cannot run beside parallel workers.
DECLARE
    s text := postern.as_string(value);
    shape text;
    ip inet;
BEGIN
    IF s ~ '^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$' THEN
        RETURN s::inet;
    END IF;
    -- An IPv4 tail stands for two groups.
    shape := regexp_replace(s,
        ':((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$', ':0:0');
    IF shape ~ '^([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}$'
        OR shape ~ '^([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?$'
        AND cardinality(array_remove(string_to_array(shape, ':'), '')) <= 7 THEN
        ip := s::inet;
        IF NOT (ip <<= '::ffff:0.0.0.0/96'::inet) THEN
            RETURN ip;
        END IF;
    END IF;
    RETURN NULL;
END
