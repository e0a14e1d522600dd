// How long the table of trials takes to sort, filter and scroll, until it is drawn: the best of five rounds,
// or of more where the machine is busy with something else.
const done = arguments[0];
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const timed = async (act) => {
    let least = Infinity;
    for (let round = 0; round < 5 || (least > 150 && round < 40); round++) {
        const begun = performance.now();
        act(round);
        document.body.getBoundingClientRect();
        await drawn();
        least = Math.min(least, performance.now() - begun);
    }
    return least;
};
(async () => {
    const heads = [...document.querySelectorAll("table[role=grid] thead button")];
    const of = (name) => heads.find((head) => head.textContent === name);
    const filter = document.querySelector("#filter");
    const type = (text) => { filter.value = text; filter.dispatchEvent(new Event("input", { bubbles: true })); };
    const found = { rows: document.querySelectorAll("table[role=grid] tbody tr").length };
    found.sort_number = await timed(() => of("Score").click());
    found.sort_text = await timed(() => of("Remark").click());
    const texts = ["params<20k score>0.9", "failed", "diverged", "0", ""];
    found.filter = await timed((round) => type(texts[round % texts.length]));
    const place = document.querySelector("#table");
    found.scroll = await timed((round) => { place.scrollTop = (round % 5) * 60000; });
    place.scrollTop = 0;
    if (of("Score").parentElement.ariaSort !== "descending") of("Score").click();
    if (of("Score").parentElement.ariaSort !== "descending") of("Score").click();
    type("params<20k score>0.9");
    await drawn();
    found.shown = document.querySelector("#shown").textContent;
    found.first = document.querySelector("table[role=grid] tbody tr[id] td:nth-child(3)").textContent;
    done(found);
})();
