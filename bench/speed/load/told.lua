-- What wrk measured, as one line of JSON; every script of this folder ends with it.

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nTOLD {"requests": %d, "seconds": %.4f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
