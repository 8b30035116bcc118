
-- HMAC-SHA256 (RFC 2104). The pads are stored: SQL has no exclusive or of bytes.
DECLARE
    k record;
BEGIN
    SELECT * INTO k FROM postern.keys x WHERE x.id = key;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN sha256(k.outer_pad || sha256(k.inner_pad || convert_to(message, 'UTF8')));
END
