-- The warehouse's tables. Redshift SQL; one transaction; applied once, in order, by functions/migrator.
--
-- Distribution and order, for every table of events:
--   DISTKEY(event_id)   The loader's MERGE and de-duplication join on event_id. Staging tables are LIKE their target, so both
--                       sides lie on the same slice and nothing is sent over the network. Ids are unique: no skew.
--                       user_id is no key: it is null for whole profiles, which would pile up on one slice.
--   SORTKEY(timestamp)  Nearly every question has a time range. Loads arrive roughly in time order, so new blocks append
--                       sorted and zone maps prune old ones.
--   ENCODE              AZ64 for numbers and times; BYTEDICT for columns of few values; LZO for reasons of size only where
--                       text repeats; ZSTD for free text and SUPER; RAW for the leading sort column, so that range-restricted
--                       scans read no more blocks of the other columns than of this one.
-- PRIMARY KEY is a hint to the planner that Redshift does not enforce: the loader's transaction is what keeps it true.
-- Times are TIMESTAMPTZ: the archive's ISO 8601 instants keep their meaning whatever a session's time zone is.

CREATE SCHEMA IF NOT EXISTS risk;

CREATE TABLE risk.risk_events (
  event_id        VARCHAR(512)  NOT NULL ENCODE ZSTD DISTKEY,
  profile         VARCHAR(64)   NOT NULL ENCODE BYTEDICT,
  source          VARCHAR(64)   NOT NULL ENCODE BYTEDICT,
  source_position VARCHAR(512)  NOT NULL ENCODE ZSTD,
  -- A token (tok_…), never the person's own id: see x-classification in the schemas.
  user_id         VARCHAR(512)           ENCODE ZSTD,
  -- When it happened: `occurred_at` of the archive line. TIMESTAMP is a reserved word, hence the quotes.
  "timestamp"     TIMESTAMPTZ   NOT NULL ENCODE RAW,
  scored_at       TIMESTAMPTZ   NOT NULL ENCODE AZ64,
  score           DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  -- Upper end of the profile's scale: 1 or 100.
  score_scale     DOUBLE PRECISION NOT NULL ENCODE ZSTD,
  band            VARCHAR(64)   NOT NULL ENCODE BYTEDICT,
  model_version   VARCHAR(256)  NOT NULL ENCODE LZO,
  policy_version  VARCHAR(256)  NOT NULL ENCODE LZO,
  -- ["impossible_travel", …]
  flags           SUPER                  ENCODE ZSTD,
  -- [{"code": …, "text": …, "contribution": …}, …], largest contribution first; they add up to the score.
  reasons         SUPER                  ENCODE ZSTD,
  geo_flag        BOOLEAN       NOT NULL ENCODE ZSTD,
  velocity_flag   BOOLEAN       NOT NULL ENCODE ZSTD,
  amount_flag     BOOLEAN       NOT NULL ENCODE ZSTD,
  hour_flag       BOOLEAN       NOT NULL ENCODE ZSTD,
  amount          DOUBLE PRECISION       ENCODE ZSTD,
  currency        VARCHAR(64)            ENCODE BYTEDICT,
  category        VARCHAR(512)           ENCODE LZO,
  country         VARCHAR(256)           ENCODE LZO,
  -- Degrees, rounded to 0.1° before they get here.
  latitude        DOUBLE PRECISION       ENCODE ZSTD,
  longitude       DOUBLE PRECISION       ENCODE ZSTD,
  distance_km     DOUBLE PRECISION       ENCODE ZSTD,
  speed_kmh       DOUBLE PRECISION       ENCODE ZSTD,
  features        SUPER                  ENCODE ZSTD,
  -- The input as it came, personal fields tokenised.
  input           SUPER                  ENCODE ZSTD,
  input_hash      CHAR(64)      NOT NULL ENCODE ZSTD,
  -- The load that brought the row in, or brought its newest score.
  load_id         VARCHAR(64)   NOT NULL ENCODE LZO,
  loaded_at       TIMESTAMPTZ   NOT NULL ENCODE AZ64,
  PRIMARY KEY (event_id)
)
DISTSTYLE KEY
COMPOUND SORTKEY ("timestamp", profile);

-- One archive line, column by column, in COPY's words: a key of the JSON object fills the column of the same name.
-- Never holds a row: each load copies into a temporary table LIKE this one. A new field of the archive is a column here, a
-- column in risk_events, and a name in functions/loader/targets.ts.
CREATE TABLE risk.risk_events_staging (
  event_id        VARCHAR(512) ENCODE ZSTD DISTKEY,
  profile         VARCHAR(64) ENCODE BYTEDICT,
  source          VARCHAR(64) ENCODE BYTEDICT,
  source_position VARCHAR(512) ENCODE ZSTD,
  user_id         VARCHAR(512) ENCODE ZSTD,
  occurred_at     TIMESTAMPTZ ENCODE RAW,
  scored_at       TIMESTAMPTZ ENCODE AZ64,
  score           DOUBLE PRECISION ENCODE ZSTD,
  score_scale     DOUBLE PRECISION ENCODE ZSTD,
  band            VARCHAR(64) ENCODE BYTEDICT,
  model_version   VARCHAR(256) ENCODE LZO,
  policy_version  VARCHAR(256) ENCODE LZO,
  flags           SUPER ENCODE ZSTD,
  reasons         SUPER ENCODE ZSTD,
  geo_flag        BOOLEAN ENCODE ZSTD,
  velocity_flag   BOOLEAN ENCODE ZSTD,
  amount_flag     BOOLEAN ENCODE ZSTD,
  hour_flag       BOOLEAN ENCODE ZSTD,
  amount          DOUBLE PRECISION ENCODE ZSTD,
  currency        VARCHAR(64) ENCODE BYTEDICT,
  category        VARCHAR(512) ENCODE LZO,
  country         VARCHAR(256) ENCODE LZO,
  latitude        DOUBLE PRECISION ENCODE ZSTD,
  longitude       DOUBLE PRECISION ENCODE ZSTD,
  distance_km     DOUBLE PRECISION ENCODE ZSTD,
  speed_kmh       DOUBLE PRECISION ENCODE ZSTD,
  features        SUPER ENCODE ZSTD,
  input           SUPER ENCODE ZSTD,
  input_hash      CHAR(64) ENCODE ZSTD
)
DISTSTYLE KEY;

CREATE TABLE risk.quarantined_events (
  source_position VARCHAR(512)   NOT NULL ENCODE ZSTD DISTKEY,
  source          VARCHAR(64)    NOT NULL ENCODE BYTEDICT,
  profile         VARCHAR(64)    NOT NULL ENCODE BYTEDICT,
  arrived_at      TIMESTAMPTZ    NOT NULL ENCODE RAW,
  reason          VARCHAR(256)   NOT NULL ENCODE BYTEDICT,
  detail          VARCHAR(65535) NOT NULL ENCODE ZSTD,
  event_id        VARCHAR(65535)          ENCODE ZSTD,
  payload         SUPER                   ENCODE ZSTD,
  load_id         VARCHAR(64)    NOT NULL ENCODE LZO,
  loaded_at       TIMESTAMPTZ    NOT NULL ENCODE AZ64,
  PRIMARY KEY (source_position)
)
DISTSTYLE KEY
SORTKEY (arrived_at);

CREATE TABLE risk.quarantined_events_staging (
  source_position VARCHAR(512) ENCODE ZSTD DISTKEY,
  source          VARCHAR(64) ENCODE BYTEDICT,
  profile         VARCHAR(64) ENCODE BYTEDICT,
  arrived_at      TIMESTAMPTZ ENCODE RAW,
  reason          VARCHAR(256) ENCODE BYTEDICT,
  detail          VARCHAR(65535) ENCODE ZSTD,
  event_id        VARCHAR(65535) ENCODE ZSTD,
  payload         SUPER ENCODE ZSTD
)
DISTSTYLE KEY;

-- One row per load: what one transaction of the loader did.
CREATE TABLE risk.loads (
  load_id         VARCHAR(64)  NOT NULL ENCODE ZSTD,
  -- risk_events or quarantined_events.
  target          VARCHAR(64)  NOT NULL ENCODE BYTEDICT,
  objects         INTEGER      NOT NULL ENCODE AZ64,
  -- Lines read; rows = inserted + updated + duplicates.
  "rows"          BIGINT       NOT NULL ENCODE AZ64,
  inserted        BIGINT       NOT NULL ENCODE AZ64,
  -- Known events that were scored again later than the row says.
  updated         BIGINT       NOT NULL ENCODE AZ64,
  -- Lines that said nothing new: repeated within the load, or known already.
  duplicates      BIGINT       NOT NULL ENCODE AZ64,
  -- Newest event of the load.
  newest_at       TIMESTAMPTZ           ENCODE AZ64,
  loaded_at       TIMESTAMPTZ  NOT NULL ENCODE RAW,
  PRIMARY KEY (load_id)
)
DISTSTYLE ALL
SORTKEY (loaded_at);

-- One row per object that was loaded, written in the transaction that loaded it: an object is here, or none of its rows are.
CREATE TABLE risk.load_ledger (
  object_key      VARCHAR(1100) NOT NULL ENCODE ZSTD,
  etag            VARCHAR(128)  NOT NULL ENCODE ZSTD,
  size_bytes      BIGINT                 ENCODE AZ64,
  load_id         VARCHAR(64)   NOT NULL ENCODE LZO,
  -- Lines of the whole load that the object went in with.
  "rows"          BIGINT        NOT NULL ENCODE AZ64,
  status          VARCHAR(32)   NOT NULL ENCODE BYTEDICT,
  loaded_at       TIMESTAMPTZ   NOT NULL ENCODE RAW,
  PRIMARY KEY (object_key, etag)
)
DISTSTYLE EVEN
SORTKEY (loaded_at);

-- Loads take turns by locking this table, so that nobody who reads events or the ledger ever waits for a load.
CREATE TABLE risk.load_lock (
  holder          VARCHAR(64) ENCODE RAW
)
DISTSTYLE ALL;
