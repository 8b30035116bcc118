-- The database of the game-backend example: PostgreSQL 14 or newer, an empty database.
-- Whoever runs this owns the tables.

CREATE TYPE public.access_level AS ENUM ('anonymous', 'user', 'superuser');
CREATE TYPE public.friendship_state AS ENUM ('asked', 'accepted');

CREATE TABLE public.users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email      text                NOT NULL UNIQUE,
    level      public.access_level NOT NULL DEFAULT 'user',
    created_at timestamptz         NOT NULL DEFAULT now()
);

CREATE TABLE public.profiles (
    user_id      uuid PRIMARY KEY REFERENCES public.users ON DELETE CASCADE,
    display_name varchar(32) NOT NULL,
    motto        text        NOT NULL DEFAULT '',
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.sessions (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid REFERENCES public.users ON DELETE CASCADE,
    device     text        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user_id ON public.sessions (user_id);

CREATE TABLE public.scores (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid        NOT NULL REFERENCES public.users ON DELETE CASCADE,
    board       text        NOT NULL,
    points      bigint      NOT NULL,
    achieved_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX scores_user_id ON public.scores (user_id);

CREATE TABLE public.inventory_items (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id  uuid    NOT NULL REFERENCES public.users ON DELETE CASCADE,
    kind     text    NOT NULL,
    quantity bigint  NOT NULL DEFAULT 1,
    equipped boolean NOT NULL DEFAULT false,
    keepsake boolean NOT NULL DEFAULT false
);
CREATE INDEX inventory_items_user_id ON public.inventory_items (user_id);

CREATE TABLE public.friendships (
    user_id   uuid NOT NULL REFERENCES public.users ON DELETE CASCADE,
    friend_id uuid NOT NULL REFERENCES public.users ON DELETE CASCADE,
    state     public.friendship_state NOT NULL DEFAULT 'asked',
    PRIMARY KEY (user_id, friend_id)
);
CREATE INDEX friendships_friend_id ON public.friendships (friend_id);

CREATE TABLE public.clubs (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text    NOT NULL UNIQUE,
    motto      text    NOT NULL DEFAULT '',
    recruiting boolean NOT NULL DEFAULT false
);

CREATE TABLE public.club_messages (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    club_id   uuid        NOT NULL REFERENCES public.clubs ON DELETE CASCADE,
    author_id uuid        NOT NULL REFERENCES public.users ON DELETE CASCADE,
    body      text        NOT NULL,
    hidden    boolean     NOT NULL DEFAULT false,
    sent_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX club_messages_club_id ON public.club_messages (club_id);
