// Which filters a trial passes.
const done = arguments[0];
import("/table.js").then(({ wanted }) => {
    const row = { trial: 7, key: "a1b2", score: 0.91, loss: 0.3, params: 12000, macs: 5e6, epochs: 4, seconds: 2, done: true, failure: null };
    const texts = ["", "params<20k", "params<=12k", "params>12k", "score>0.9 loss<0.5", "score>0.9 loss>0.5", "macs=5m", "a1b", "zz", "failed", "finished", "open", "trial=7", "time<3", "nonsense<3"];
    done(texts.filter((text) => wanted(text)(row)));
});
