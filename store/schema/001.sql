-- rootle recording, schema 2.  Applied once, in one transaction, to an empty file; see rootle-schema(5).
--
-- Three kinds of objects:
--   dictionaries   names, numbered once: service edge op series pattern process cgroup frame stack meta
--   facts          what was measured, clustered by tick: requests outcome downstream tcp tls point log process_tick cgroup_tick profile
--                  loss;
--                  and by time: event span
--   derived        nothing but the views v_*; drop and create them as you like.  The only derived columns are the
--                  percentiles beside a histogram (requests.p50_ns … p99_ns), for people without a decoder.
--
-- Units stand in the column's name or its comment.  Times are nanoseconds since 1970 UTC in whole microseconds, so that
-- they survive the interchange format.  NULL is "not known", never 0 or -1.  Column comments are kept by SQLite:
-- ".schema point" shows them.

PRAGMA application_id = 0x526f746c;  -- "Rotl"
PRAGMA user_version = 2;

-- dictionaries ------------------------------------------------------------------------------------------------------

CREATE TABLE meta(
	key TEXT PRIMARY KEY,        -- node, version, started, probes, source …
	value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE service(
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,   -- what people call it
	kind TEXT,                   -- app db cache queue proxy dns external node
	exe TEXT,                    -- path of its executable
	why TEXT,                    -- how the name was found
	image TEXT,                  -- container image
	node TEXT                    -- host that it runs on, where that is another one
);

CREATE TABLE edge(
	id INTEGER PRIMARY KEY,
	src INTEGER REFERENCES service(id),           -- the caller; NULL: not known
	dst INTEGER NOT NULL REFERENCES service(id),  -- the callee
	protocol TEXT,                                -- http postgres redis … tcp; NULL: not known
	port INTEGER NOT NULL DEFAULT 0               -- of the callee; 0: not known
);
CREATE UNIQUE INDEX edge_key ON edge(dst, ifnull(src, 0), port, ifnull(protocol, ''));

CREATE TABLE op(
	id INTEGER PRIMARY KEY,      -- from 1; 0 in requests and span: not known
	text TEXT NOT NULL UNIQUE    -- normalised operation, without literals
);

CREATE TABLE series(
	id INTEGER PRIMARY KEY,
	service INTEGER NOT NULL REFERENCES service(id),
	metric TEXT NOT NULL,        -- name, which carries the unit: cpu_cores, mem_bytes …
	device TEXT                  -- disk or interface; NULL: none
);
CREATE UNIQUE INDEX series_key ON series(service, metric, ifnull(device, ''));

CREATE TABLE pattern(
	id INTEGER PRIMARY KEY,
	service INTEGER NOT NULL REFERENCES service(id),
	template TEXT NOT NULL,      -- log line with its variable parts taken out
	level TEXT,                  -- debug info warn error fatal
	sample TEXT                  -- one line of this pattern
);
CREATE UNIQUE INDEX pattern_key ON pattern(service, template, ifnull(level, ''));

CREATE TABLE process(
	id INTEGER PRIMARY KEY,
	pid INTEGER NOT NULL,
	start_ns INTEGER NOT NULL,   -- with pid, its identity
	ppid INTEGER,
	service INTEGER REFERENCES service(id),
	comm TEXT,
	exe TEXT,                    -- path
	cmdline TEXT,                -- arguments, separated by spaces
	cgroup TEXT,                 -- path
	end_ns INTEGER,              -- NULL: was not seen to end
	last_ns INTEGER NOT NULL,    -- last activity, to the minute: decides when the row goes
	source INTEGER NOT NULL      -- as in tick
);
CREATE UNIQUE INDEX process_key ON process(pid, start_ns);

CREATE TABLE cgroup(
	id INTEGER PRIMARY KEY,
	path TEXT NOT NULL UNIQUE,
	service INTEGER REFERENCES service(id)   -- that most of its processes belong to
);

CREATE TABLE frame(
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL           -- function as its file has it (mangled); of the kernel: ends in _[k]; [file+0x…]: without a name
);
CREATE INDEX frame_name ON frame(name);

CREATE TABLE stack(
	id INTEGER PRIMARY KEY,      -- greater than its parent's
	parent INTEGER NOT NULL,     -- stack.id of the caller; 0: none, this is the outermost frame
	frame INTEGER NOT NULL REFERENCES frame(id)
);
CREATE UNIQUE INDEX stack_key ON stack(parent, frame);
INSERT INTO frame VALUES(1, '(other)');   -- samples of stacks that were too rare to be kept: below the caller they share
INSERT INTO stack VALUES(1, 0, 1);

-- facts -------------------------------------------------------------------------------------------------------------

CREATE TABLE tick(
	id INTEGER PRIMARY KEY,
	t_ns INTEGER NOT NULL,       -- start of the interval
	dur_ns INTEGER NOT NULL,     -- its length, ns
	source INTEGER NOT NULL,     -- 0 recorded, 1 rolled up from recorded ticks, 2 imported (never pruned by age)
	events INTEGER,              -- kernel events taken in
	lost INTEGER,                -- events known to be missing
	weight INTEGER               -- the most that a request counts for: 1: counts are exact, else estimates from as many times
	                             -- fewer connections; 0: for a while no requests were read; NULL: not known
);
CREATE INDEX tick_time ON tick(t_ns);
CREATE INDEX tick_recorded ON tick(t_ns) WHERE source < 2;   -- the oldest to prune
CREATE INDEX tick_raw ON tick(t_ns) WHERE source = 0;        -- the oldest to roll up

CREATE TABLE requests(
	tick INTEGER NOT NULL REFERENCES tick(id),
	edge INTEGER NOT NULL REFERENCES edge(id),
	op INTEGER NOT NULL,         -- op.id; 0: not known
	count INTEGER NOT NULL,      -- requests that ended in the interval; may be fractional when imported
	errors INTEGER,              -- of which failed
	sum_ns INTEGER,              -- sum of the latencies, ns
	p50_ns INTEGER,              -- percentiles of the latency, ns: from hist, or as imported
	p90_ns INTEGER,
	p95_ns INTEGER,
	p99_ns INTEGER,
	bytes_request INTEGER,       -- bytes
	bytes_response INTEGER,      -- bytes
	rows INTEGER,                -- rows or items returned
	hist BLOB,                   -- latencies: 0x01, then varint(bucket step), varint(count) for each bucket; see rootle-schema(5)
	timed INTEGER,               -- requests of whose time anything is known: these sums are over them; NULL: none
	timed_ns INTEGER,            -- ns until the caller had read the response; what the parts below do not explain is not known
	there_ns INTEGER,            -- ns that the request's last byte was on its way
	queue_ns INTEGER,            -- ns from its arrival to the read
	cpu_ns INTEGER,              -- ns on the CPU
	runq_ns INTEGER,             -- ns runnable while others had the CPU
	quota_ns INTEGER,            -- ns throttled by the CPU quota
	io_ns INTEGER,               -- ns waiting for block I/O and the file system
	mem_ns INTEGER,              -- ns in page faults that read or wait, and freeing memory
	lock_ns INTEGER,             -- ns waiting for a futex
	net_ns INTEGER,              -- ns waiting for the other end of a socket or pipe
	poll_ns INTEGER,             -- ns waiting for an event: poll, epoll_wait …
	sleep_ns INTEGER,            -- ns in nanosleep
	down_ns INTEGER,             -- ns waiting for the services it called: of table downstream
	back_ns INTEGER,             -- ns that the response's last byte was on its way
	client_ns INTEGER,           -- ns from its arrival to the caller's read
	remote_ns INTEGER,           -- ns on the network and at a callee elsewhere
	waits INTEGER,               -- of count: without a latency, for they wait by intent (BLPOP) or nobody answers; NULL: none
	begun INTEGER,               -- with a latency, and a response that began; NULL: not known
	first_ns INTEGER,            -- sum of their times to its first byte, ns
	PRIMARY KEY(tick, edge, op)
) WITHOUT ROWID;

-- How requests ended, where it is more than plain success.
CREATE TABLE outcome(
	tick INTEGER NOT NULL REFERENCES tick(id),
	edge INTEGER NOT NULL REFERENCES edge(id),
	op INTEGER NOT NULL,         -- op.id; 0: not known
	status INTEGER NOT NULL,     -- the protocol's own; 0: none
	detail TEXT NOT NULL,        -- SQLSTATE, error word, name of the status; '': none
	error TEXT NOT NULL,         -- ok client_error server_error aborted
	count INTEGER NOT NULL,      -- requests that ended so in the interval
	PRIMARY KEY(tick, edge, op, status, detail, error)
) WITHOUT ROWID;

-- What requests waited for of their down_ns: the calls that they made themselves.
CREATE TABLE downstream(
	tick INTEGER NOT NULL REFERENCES tick(id),
	edge INTEGER NOT NULL REFERENCES edge(id),   -- of the request, with op
	op INTEGER NOT NULL,         -- op.id; 0: not known
	callee INTEGER NOT NULL REFERENCES edge(id), -- of the calls
	count INTEGER NOT NULL,      -- calls
	ns INTEGER NOT NULL,         -- ns that the requests waited for them; of several at once the one that began first counts
	PRIMARY KEY(tick, edge, op, callee)
) WITHOUT ROWID;

CREATE TABLE tcp(
	tick INTEGER NOT NULL REFERENCES tick(id),
	edge INTEGER NOT NULL REFERENCES edge(id),
	opened INTEGER,              -- connections opened in the interval
	closed INTEGER,              -- connections closed
	refused INTEGER,             -- attempts answered by a reset
	timeouts INTEGER,            -- attempts and transfers that timed out
	resets INTEGER,              -- established connections reset
	retrans INTEGER,             -- segments sent again
	open INTEGER,                -- connections at the end of the interval
	inflight INTEGER,            -- requests without an answer at the end of the interval
	oldest_ns INTEGER,           -- greatest age of one of them, ns; NULL: none
	srtt_us INTEGER,             -- smoothed round trip, µs: median of the connections, mean of the ticks
	bytes_out INTEGER,           -- payload from the caller, bytes
	bytes_in INTEGER,            -- payload to the caller, bytes
	connect_p50_us INTEGER,      -- from SYN to established, µs: median of the interval's; NULL: none seen
	connect_max_us INTEGER,      -- the longest of them
	min_rtt_us INTEGER,          -- least round trip of its connections, µs
	resets_callee INTEGER,       -- of resets: sent by the callee
	retrans_callee INTEGER,      -- of retrans: sent by the callee
	connecting INTEGER,          -- SYNs without an answer at the end of the interval
	caller_send_queue_bytes INTEGER,   -- written by the caller, not acknowledged; at the end; NULL: not known; rolled up: the highest
	caller_recv_queue_bytes INTEGER,   -- arrived for the caller, not read
	caller_zero_windows INTEGER,       -- times the caller's window closed: it did not read
	caller_zero_window_us INTEGER,     -- its windows were closed for, µs, summed over connections
	callee_send_queue_bytes INTEGER,   -- the same of the callee
	callee_recv_queue_bytes INTEGER,
	callee_zero_windows INTEGER,
	callee_zero_window_us INTEGER,
	PRIMARY KEY(tick, edge)
) WITHOUT ROWID;

CREATE TABLE tls(
	tick INTEGER NOT NULL REFERENCES tick(id),
	edge INTEGER NOT NULL REFERENCES edge(id),
	version TEXT NOT NULL,       -- 1.3 1.2 …; '': the server did not say
	sni TEXT NOT NULL,           -- host that the client asked for; '': none
	result TEXT NOT NULL,        -- ok unseen cut_short not_tls alert (encrypted), or the name of the alert
	sender TEXT NOT NULL,        -- client server: who refused; '': nobody
	count INTEGER NOT NULL,      -- handshakes that ended in the interval; 0: the certificate of earlier ones became known
	alpn TEXT,                   -- protocol asked for or chosen
	subject TEXT,                -- of the server's certificate; NULL: not known
	not_after_s INTEGER,         -- its end, Unix time, s; of several the earliest
	cert_source TEXT,            -- of these two: wire, file PATH, newer file PATH (than the process that serves it)
	PRIMARY KEY(tick, edge, version, sni, result, sender)
) WITHOUT ROWID;

CREATE TABLE point(
	tick INTEGER NOT NULL REFERENCES tick(id),
	series INTEGER NOT NULL REFERENCES series(id),
	value REAL NOT NULL,         -- in the metric's unit; a rate is per second; rolled up: mean over the time it was known
	lim REAL,                    -- the limit that it runs into, same unit; rolled up: the highest
	PRIMARY KEY(tick, series)
) WITHOUT ROWID;

CREATE TABLE log(
	tick INTEGER NOT NULL REFERENCES tick(id),
	pattern INTEGER NOT NULL REFERENCES pattern(id),
	count INTEGER NOT NULL,      -- lines in the interval
	baseline_count REAL,         -- lines expected in such an interval
	PRIMARY KEY(tick, pattern)
) WITHOUT ROWID;

CREATE TABLE process_tick(
	tick INTEGER NOT NULL REFERENCES tick(id),
	process INTEGER NOT NULL REFERENCES process(id),
	cpu_s REAL,                  -- CPU seconds used in the interval
	runq_wait_s REAL,            -- thread-seconds waiting for a CPU
	disk_wait_s REAL,            -- thread-seconds in uninterruptible sleep
	read_bytes INTEGER,          -- bytes
	write_bytes INTEGER,         -- bytes
	rss_bytes INTEGER,           -- resident, bytes; rolled up: the highest
	threads INTEGER,             -- these four at the end of the interval
	fds INTEGER,
	connections INTEGER,         -- open TCP connections
	state TEXT,                  -- R S D T Z … as in /proc
	PRIMARY KEY(tick, process)
) WITHOUT ROWID;

CREATE TABLE cgroup_tick(
	tick INTEGER NOT NULL REFERENCES tick(id),
	cgroup INTEGER NOT NULL REFERENCES cgroup(id),
	cpu_s REAL,                  -- CPU seconds used in the interval
	throttled_s REAL,            -- seconds throttled in the interval
	quota_cores REAL,            -- CPU quota, cores; NULL: none
	mem_bytes INTEGER,           -- bytes; rolled up: the highest
	mem_limit_bytes REAL,        -- bytes; NULL: none
	read_bytes INTEGER,          -- bytes
	write_bytes INTEGER,         -- bytes
	periods_throttled INTEGER,   -- scheduling periods in which it was throttled
	pids INTEGER,                -- rolled up: the highest
	PRIMARY KEY(tick, cgroup)
) WITHOUT ROWID;

CREATE TABLE profile(
	tick INTEGER NOT NULL REFERENCES tick(id),
	service INTEGER NOT NULL,    -- service.id; 0: not known
	pid INTEGER NOT NULL,        -- 0: several
	stack INTEGER NOT NULL REFERENCES stack(id),
	samples INTEGER NOT NULL,    -- ticks of the CPU clock (meta profile_hz) that found it on a CPU in the interval
	PRIMARY KEY(tick, service, pid, stack)
) WITHOUT ROWID;

CREATE TABLE loss(
	tick INTEGER NOT NULL REFERENCES tick(id),
	stage TEXT NOT NULL,         -- kernel flow model store …
	reason TEXT NOT NULL,
	count INTEGER NOT NULL,      -- times, in the interval
	PRIMARY KEY(tick, stage, reason)
) WITHOUT ROWID;

CREATE TABLE event(
	id INTEGER PRIMARY KEY,
	t_ns INTEGER NOT NULL,
	service INTEGER REFERENCES service(id),  -- NULL: of the node
	kind TEXT NOT NULL,          -- exec exit restart deploy signal oom_kill config_change mark …
	detail TEXT,                 -- one line for people
	version_before TEXT,
	version_after TEXT,
	actor TEXT,                  -- who did it
	pid INTEGER,                 -- NULL: none
	source INTEGER NOT NULL      -- as in tick
);
CREATE INDEX event_time ON event(t_ns);
CREATE INDEX event_recorded ON event(t_ns) WHERE source < 2;

CREATE TABLE span(
	id INTEGER PRIMARY KEY,
	trace TEXT NOT NULL,
	span TEXT NOT NULL,
	parent TEXT,                 -- span of the same trace; NULL: a root
	service INTEGER NOT NULL REFERENCES service(id),   -- that answered
	edge INTEGER REFERENCES edge(id),   -- NULL: not known (imported)
	op INTEGER NOT NULL,         -- op.id; 0: not known
	t_ns INTEGER NOT NULL,       -- first byte of the request
	dur_ns INTEGER NOT NULL,     -- to the last byte of the response, ns
	status TEXT,                 -- the protocol's own; NULL: none
	error TEXT,                  -- ok client_error server_error aborted; NULL: not known (imported)
	detail TEXT,                 -- SQLSTATE, error word, name of the status; NULL: none
	method TEXT,                 -- how the parent was found; NULL: a root
	confidence REAL,             -- 0..1, of the parent
	source INTEGER NOT NULL,     -- as in tick
	there_ns INTEGER,            -- these, as in requests: what they do not explain of dur_ns is not known; all NULL: nothing is
	queue_ns INTEGER,
	cpu_ns INTEGER,
	runq_ns INTEGER,
	quota_ns INTEGER,
	io_ns INTEGER,
	mem_ns INTEGER,
	lock_ns INTEGER,
	net_ns INTEGER,
	poll_ns INTEGER,
	sleep_ns INTEGER,
	down_ns INTEGER,
	back_ns INTEGER,
	client_ns INTEGER,
	remote_ns INTEGER
);
CREATE INDEX span_time ON span(t_ns);
CREATE INDEX span_recorded ON span(t_ns) WHERE source < 2;
CREATE INDEX span_trace ON span(trace);

-- derived: views for people ---------------------------------------------------------------------------------------------

CREATE VIEW v_ticks AS
	SELECT id AS tick, strftime('%Y-%m-%dT%H:%M:%fZ', t_ns / 1e9, 'unixepoch') AS time, dur_ns / 1e9 AS dur_s,
	CASE source WHEN 0 THEN 'recorded' WHEN 1 THEN 'rolled up' ELSE 'imported' END AS source, events, lost, weight
	FROM tick;

CREATE VIEW v_services AS
	SELECT id AS service_id, name AS service, kind, exe, why, image, node FROM service;

CREATE VIEW v_edges AS
	SELECT e.id AS edge_id, a.name AS caller, b.name AS callee, e.protocol, nullif(e.port, 0) AS port
	FROM edge e JOIN service b ON b.id = e.dst LEFT JOIN service a ON a.id = e.src;

CREATE VIEW v_requests AS
	SELECT t.time, t.dur_s, e.caller, e.callee, e.protocol, e.port, o.text AS op, r.count, r.errors, r.waits,
	r.sum_ns / 1e6 / nullif(r.count - ifnull(r.waits, 0), 0) AS avg_ms, r.p50_ns / 1e6 AS p50_ms, r.p90_ns / 1e6 AS p90_ms,
	r.p95_ns / 1e6 AS p95_ms, r.p99_ns / 1e6 AS p99_ms,
	r.first_ns / 1e6 / nullif(r.begun, 0) AS first_byte_avg_ms, r.bytes_request, r.bytes_response, r.rows,
	r.timed, r.timed_ns, r.there_ns, r.queue_ns, r.cpu_ns, r.runq_ns, r.quota_ns, r.io_ns, r.mem_ns, r.lock_ns, r.net_ns, r.poll_ns,
	r.sleep_ns, r.down_ns, r.back_ns, r.client_ns, r.remote_ns,
	r.timed_ns - (r.there_ns + r.queue_ns + r.cpu_ns + r.runq_ns + r.quota_ns + r.io_ns + r.mem_ns + r.lock_ns + r.net_ns +
		r.poll_ns + r.sleep_ns + r.down_ns + r.back_ns + r.client_ns + r.remote_ns)
		AS unknown_ns
	FROM v_ticks t JOIN requests r ON r.tick = t.tick JOIN v_edges e ON e.edge_id = r.edge LEFT JOIN op o ON o.id = r.op;

CREATE VIEW v_outcomes AS
	SELECT t.time, t.dur_s, e.caller, e.callee, e.protocol, e.port, o.text AS op, nullif(x.status, 0) AS status,
	nullif(x.detail, '') AS detail, x.error, x.count
	FROM v_ticks t JOIN outcome x ON x.tick = t.tick JOIN v_edges e ON e.edge_id = x.edge LEFT JOIN op o ON o.id = x.op;

CREATE VIEW v_downstream AS
	SELECT t.time, t.dur_s, e.caller, e.callee, e.protocol, e.port, o.text AS op, c.callee AS called, c.protocol AS called_protocol,
	c.port AS called_port, x.count, x.ns
	FROM v_ticks t JOIN downstream x ON x.tick = t.tick JOIN v_edges e ON e.edge_id = x.edge JOIN v_edges c ON c.edge_id = x.callee
	LEFT JOIN op o ON o.id = x.op;

CREATE VIEW v_tcp AS
	SELECT t.time, t.dur_s, e.caller, e.callee, e.protocol, e.port, c.opened, c.closed, c.refused, c.timeouts, c.resets,
	c.retrans, c.open, c.inflight, c.oldest_ns / 1e6 AS oldest_ms, c.srtt_us, c.bytes_out, c.bytes_in,
	c.connect_p50_us, c.connect_max_us, c.min_rtt_us, c.resets_callee, c.retrans_callee, c.connecting,
	c.caller_send_queue_bytes, c.caller_recv_queue_bytes, c.caller_zero_windows, c.caller_zero_window_us,
	c.callee_send_queue_bytes, c.callee_recv_queue_bytes, c.callee_zero_windows, c.callee_zero_window_us
	FROM v_ticks t JOIN tcp c ON c.tick = t.tick JOIN v_edges e ON e.edge_id = c.edge;

CREATE VIEW v_tls AS
	SELECT t.time, t.dur_s, e.caller, e.callee, e.protocol, e.port, nullif(h.version, '') AS version, nullif(h.sni, '') AS sni,
	h.result, nullif(h.sender, '') AS sender, h.count, h.alpn, h.subject,
	strftime('%Y-%m-%dT%H:%M:%SZ', h.not_after_s, 'unixepoch') AS not_after, h.cert_source
	FROM v_ticks t JOIN tls h ON h.tick = t.tick JOIN v_edges e ON e.edge_id = h.edge;

CREATE VIEW v_resources AS
	SELECT t.time, t.dur_s, s.name AS service, r.metric, r.device, p.value, p.lim AS "limit"
	FROM v_ticks t JOIN point p ON p.tick = t.tick JOIN series r ON r.id = p.series JOIN service s ON s.id = r.service;

CREATE VIEW v_events AS
	SELECT strftime('%Y-%m-%dT%H:%M:%fZ', e.t_ns / 1e9, 'unixepoch') AS time, s.name AS service, e.kind, e.detail,
	e.version_before, e.version_after, e.actor, e.pid
	FROM event e LEFT JOIN service s ON s.id = e.service;

CREATE VIEW v_logs AS
	SELECT t.time, t.dur_s, s.name AS service, p.level, p.template, l.count, l.baseline_count, p.sample
	FROM v_ticks t JOIN log l ON l.tick = t.tick JOIN pattern p ON p.id = l.pattern JOIN service s ON s.id = p.service;

CREATE VIEW v_processes AS
	SELECT t.time, t.dur_s, p.pid, p.comm, s.name AS service, u.cpu_s, u.runq_wait_s, u.disk_wait_s, u.read_bytes,
	u.write_bytes, u.rss_bytes, u.threads, u.fds, u.connections, u.state, p.exe, p.cmdline, p.cgroup
	FROM v_ticks t JOIN process_tick u ON u.tick = t.tick JOIN process p ON p.id = u.process
	LEFT JOIN service s ON s.id = p.service;

CREATE VIEW v_cgroups AS
	SELECT t.time, t.dur_s, g.path, s.name AS service, u.cpu_s, u.throttled_s, u.quota_cores, u.mem_bytes,
	u.mem_limit_bytes, u.read_bytes, u.write_bytes, u.periods_throttled, u.pids
	FROM v_ticks t JOIN cgroup_tick u ON u.tick = t.tick JOIN cgroup g ON g.id = u.cgroup
	LEFT JOIN service s ON s.id = g.service;

CREATE VIEW v_profile AS
	SELECT t.time, t.dur_s, s.name AS service, nullif(p.pid, 0) AS pid, p.samples,
	(WITH RECURSIVE up(id, text) AS (SELECT k.parent, f.name FROM stack k JOIN frame f ON f.id = k.frame WHERE k.id = p.stack
	UNION ALL SELECT k.parent, f.name || ';' || up.text FROM up JOIN stack k ON k.id = up.id JOIN frame f ON f.id = k.frame)
	SELECT text FROM up WHERE id = 0) AS stack
	FROM v_ticks t JOIN profile p ON p.tick = t.tick LEFT JOIN service s ON s.id = p.service;

CREATE VIEW v_losses AS
	SELECT t.time, t.dur_s, l.stage, l.reason, l.count FROM v_ticks t JOIN loss l ON l.tick = t.tick;

CREATE VIEW v_spans AS
	SELECT strftime('%Y-%m-%dT%H:%M:%fZ', p.t_ns / 1e9, 'unixepoch') AS time, p.dur_ns / 1e6 AS dur_ms, p.trace, p.span,
	p.parent, e.caller, s.name AS service, e.protocol, e.port, o.text AS op, p.status, p.error, p.detail, p.method, p.confidence,
	p.there_ns, p.queue_ns, p.cpu_ns, p.runq_ns, p.quota_ns, p.io_ns, p.mem_ns, p.lock_ns, p.net_ns, p.poll_ns, p.sleep_ns,
	p.down_ns, p.back_ns, p.client_ns, p.remote_ns,
	p.dur_ns - (p.there_ns + p.queue_ns + p.cpu_ns + p.runq_ns + p.quota_ns + p.io_ns + p.mem_ns + p.lock_ns + p.net_ns + p.poll_ns +
		p.sleep_ns + p.down_ns + p.back_ns + p.client_ns + p.remote_ns) AS unknown_ns
	FROM span p JOIN service s ON s.id = p.service LEFT JOIN op o ON o.id = p.op LEFT JOIN v_edges e ON e.edge_id = p.edge;
