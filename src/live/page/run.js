// A run as its journal adds up: the same fold that a resumed run does, over what the server tells of each entry.
export const fresh = () => ({
  head: null, rows: [], done: 0, failed: [], at: 0, seconds: 0, phase: "search", searched: null, winner: null,
  finals: new Map(), ended: null, level: false, best: null, curve: [], epochs: 0, selected: 0,
});

export const take = (run, { at, seconds, what }) => {
  [run.at, run.seconds] = [at, seconds];
  const [kind, it] = typeof what === "string" ? [what, {}] : Object.entries(what)[0];
  const row = it.trial === undefined ? null : run.rows[it.trial];
  switch (kind) {
    case "proposed":
      run.rows[it.trial] = { ...it, done: false, score: null, loss: null, epochs: null, seconds: null, failure: null, message: null };
      break;
    case "finished":
      settle(run, row, { score: it.score, loss: it.loss, epochs: it.epochs, bestEpoch: it.best_epoch, seconds: it.seconds, metrics: it.metrics });
      row.lastEpoch = Math.max(it.best_epoch ?? 0, it.epochs + (run.rows[row.continues]?.lastEpoch ?? 0));
      if (!row.fidelity && (!run.best || beats(row, run.best, sign(run)))) run.best = row;
      if (run.best) run.curve.push([run.done, run.epochs, run.best.score]);
      break;
    case "failed":
      settle(run, row, { failure: it.kind, message: it.message, epochs: it.epochs, seconds: it.seconds });
      run.failed.push(row);
      break;
    case "searched":
      [run.searched, run.phase] = [it, "final evaluation"];
      break;
    case "winner":
      run.winner = it.trial;
      break;
    case "selected":
      run.selected++;
      break;
    case "retrained": {
      const network = run.finals.get(it.subject) ?? { winner: it.winner, epochs: it.epochs, scores: [], failures: [] };
      if (it.score == null) network.failures.push(it.failure);
      else network.scores.push(it.score);
      run.finals.set(it.subject, network);
      break;
    }
    case "ended":
      [run.ended, run.phase] = [it.reason, "ended"];
      break;
    case "extended":
      Object.assign(run, { searched: null, winner: null, finals: new Map(), ended: null, phase: "search" });
      if (run.head) Object.assign(run.head, it);
  }
};

const settle = (run, row, outcome) => {
  Object.assign(row, outcome, { done: true });
  run.done++;
  run.epochs += outcome.epochs;
};

// Scores times this are the better the higher they are.
export const sign = (run) => (run.head?.direction === "minimise" ? -1 : 1);

// Of equal scores the lower loss is better, then fewer parameters, then the earlier trial.
const beats = (a, b, sign) => {
  if (a.score !== b.score) return sign * a.score > sign * b.score;
  if (a.loss !== b.loss) return a.loss < b.loss;
  return a.params < b.params;
};

// The networks that no other beats in score without more parameters, as steps.
export const front = (rows, sign) => {
  const sorted = rows.filter((row) => row.score != null && !row.fidelity).sort((a, b) => a.params - b.params || sign * (b.score - a.score));
  const [steps, members] = [[], []];
  for (const { params: x, score: y, trial } of sorted) {
    const last = steps.at(-1);
    if (last && sign * y <= sign * last.y) continue;
    if (last) steps.push({ x, y: last.y });
    steps.push({ x, y });
    members.push(trial);
  }
  return { steps, members };
};
