"""What docs/scale.md says around its figures."""

__all__ = ["COST", "FLEET", "INTRODUCTION", "LIMITS", "RAMP", "STORM", "UPDATE"]

INTRODUCTION = """\
# Scale: 100, 10,000 and 1,000,000 calls at once

Written by `make scale`; do not edit. This page is arithmetic and a small simulation with a seed
(`workbench/bench/scale`), not a measurement: nobody has held so many calls with this worker. It
starts from what was measured for one machine ([capacity.md](capacity.md)) and from what AssemblyAI
says of its limits. Beside each simulation stands a formula with which you can check it. Calls last
three minutes on average unless a row says ten.
"""

FLEET = """\
## What it takes

- **Pods**: calls x 1.2 + 8 places, as `deploy/kubernetes/components/keda` keeps them, divided by
  `AGENT_MAX_CALLS`.
- **CPU**: 0.11 of a core for a call and 0.35 for the one that begins, for each pod
  ([capacity.md](capacity.md): 10.9 % on a busy machine). **Memory**: 160 MB and 16 MB for a call.
- **LiveKit's server**: 0.036 of a core for a call, the most that was measured; nodes of 16 cores
  that are 70 % busy, and never fewer than two. A room is on one node, so nodes add up.
- **New sessions a minute**: calls / their minutes.
- **Commands to Redis**: 11 a second for each pod (presence, lease, the budget), one for each new
  session, and about two a second for each call whose record is kept. `redis-server` took 3.0 s of
  CPU for 300,000 SET, SADD and RPUSH of `redis-benchmark` (2026-11-28, a busy machine): a core of
  it answers about 100,000 a second.
"""

RAMP = """\
## How fast it can grow

AssemblyAI limits new sessions a minute, not open ones: 100 on a paid account that begins, and a
tenth more after each minute in which 70 % of the limit was used
(assemblyai.com/docs/streaming/rate-limits, read in November 2026). It doubles every 7.3 minutes,
so it is what a fleet waits for: pods double every 30 s as KEDA is set here. With s new sessions a
minute at first and calls of d minutes, c calls are reached after about
ln(1 + c x (ln 1.1 + 1/d) / s) / ln 1.1 minutes.

![calls in progress over minutes](scale-ramp.svg)
"""

STORM = """\
- **Ask AssemblyAI for a higher limit** before you need it: they raise it at no cost.
- `ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE` is a fixed number. At 100 a fleet holds 100 x 3 = 300 calls
  of three minutes, whatever the account would allow by then. Raise it as the account's limit
  grows.
- At night the limit shrinks with the traffic (below half of it used). The next morning's rise can
  be a tenth a minute again, and no more.

## When all sessions break at once

AssemblyAI breaks all connections at once, and each call wants its session back. New callers used
70 % of the limit in the minute before, as in a fleet that has grown to its size: so the limit is
calls / (0.7 x minutes of a call), whatever the number of calls, and only the rest of it is free at
once. New callers are not taken meanwhile. Of a million calls a hundredth is simulated: the shares
do not depend on the number. Two ways to ask:

- **shared budget**: all workers take from one budget (`AGENT_REDIS_URL`), set to the account's
  limit; each asks when it is its turn.
- **each for itself**: all ask at once, and again after the pauses of the speech module (12 to 24 s
  and what it doubles). Whether AssemblyAI counts the sessions that it refuses, it does not say:
  both are shown.

![share of calls that hear again](scale-storm.svg)
"""

UPDATE = """\
With u = 0.7, used in the minute before, (m + 1 - u x (1 - r / 60)) x limit / calls hear again after
m minutes and r seconds.

- **The budget makes nothing faster than the limit allows.** It makes use of all of it, nobody is
  refused, and if refusals count, it is the difference between a minute or two and not at all.
- **`ASSEMBLYAI_PATIENCE_SECONDS` decides who survives.** The table lets nobody give up; in truth a
  call ends with an apology when its patience is over. The column of 20 s is the default: three of
  four callers in a fleet of three-minute calls would hear the apology. With 180 s nobody would.
- **Long calls suffer most**, since their account is used to few new sessions. What helps is a
  higher limit, or another ear meanwhile (`ASSEMBLYAI_FALLBACK_INFERENCE_MODEL`,
  `ASSEMBLYAI_FALLBACK_BASE_URL`).

## An update with hand-over

Each call that is handed over opens a second session, beside those of new callers. Callers use 70 %
of the limit, so 30 % of it is for hand-overs, and calls that wait for one stay where they are. A
caller for whom no session is free within 5 s hears that nobody is free.
"""

COST = """\
An update may take no less than u / (1 - u) x d minutes, with the used share u and calls of d
minutes: the number of calls does not matter. The simulation keeps the limit as it is; in truth it
grows by a tenth a minute meanwhile, which makes a slow update a little easier. A hundred calls
need less: their account has 100 new sessions a minute, three times what they use.

So for a large fleet: let an update take ten minutes or more. In
`deploy/kubernetes/overlays/production` it does: a tenth of the pods at a time, each ready for a
minute before the next. `AGENT_HAND_OVER_SECONDS` only limits for how long one pod tries.

## What a day costs

So many calls at once from midnight to midnight: calls x 24 hours x the price of an hour.
"""

LIMITS = """\
AssemblyAI bills the time that sessions are open: $0.15 an hour for universal-streaming and $0.45
for Universal-3.6 Pro in real time (assemblyai.com/pricing, as published in October 2026). The last
column is $0.11 to $0.25 a minute for hearing, thinking, speaking and telephone together: a range
that the field quotes, second-hand and not checked (November 2026). What yours cost is on
`/metrics` once the prices are in the settings ([metrics.md](metrics.md)). The machines are the
cores above, at your provider's price.

## What this page does not know

- **1,000,000 calls are several fleets.** A Kubernetes cluster is made for at most 5,000 nodes and
  150,000 pods (kubernetes.io, Considerations for large clusters), and
  `ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE` ends at 100,000; one Redis does not answer what the table
  asks of it. Split by region, each with its own LiveKit, Redis and budget.
- How AssemblyAI's limit shrinks, whether its minute is a fixed or a moving one, and whether
  regions share it. A moving one is taken here, which is the stricter.
- LiveKit's Redis and its signalling at thousands of nodes; the rate limits of OpenAI, which are
  the account's own; the network.
- Callers who try again when they hear that nobody is free.
"""
