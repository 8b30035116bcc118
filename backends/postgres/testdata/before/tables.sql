CREATE TABLE accounts (id bigint PRIMARY KEY, owner text NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, team text NOT NULL, ssn text NOT NULL);
CREATE TABLE deals (id bigint PRIMARY KEY, owner text NOT NULL, region text, account_id bigint);
CREATE INDEX ON deals (owner);
CREATE INDEX ON deals (region);
CREATE INDEX ON deals (account_id);
INSERT INTO accounts VALUES (1, 'ann'), (2, 'bob');
INSERT INTO people VALUES (1, 'red', '123-45-6789'), (2, 'blue', '987-65-4321');
INSERT INTO deals VALUES (1, 'ann', 'EMEA', NULL), (2, 'bob', 'EMEA', 1), (3, 'bob', 'APAC', 2), (4, 'cy', 'APAC', NULL), (5, 'cy', NULL, NULL);
