def scaled(values):
    """Values on the scale of training: one mean and deviation a feature, or a channel of pictures and signals."""
    (kind, sizes), = KNOWN["input"].items()
    values = np.asarray(values, np.float32).reshape(-1, *sizes.values())
    if KNOWN["scale"]["mean"]:
        ones = [1] * (len(sizes) - 1) if kind in ("image", "signal", "volume") else []
        mean, deviation = (np.reshape(KNOWN["scale"][key], [-1, *ones]) for key in ("mean", "deviation"))
        values = (values - mean) / deviation
    return values.astype(np.float32)


def prepare_arrays(values):
    """Examples as the training file has them, one after the other, as inputs of the network."""
    return scaled(values)


def prepare_rows(rows):
    """Rows of the table, each a dict of cells by column (or a list of them in its order), as inputs of the network."""
    inputs = []
    for row in rows:
        cells = row if isinstance(row, dict) else dict(zip((column["name"] for column in KNOWN["columns"]), row))
        values = []
        for column in KNOWN["columns"]:
            if column["kind"] in ("number", "category"):
                cell = cells[column["name"]]
                cell = "" if cell is None or cell != cell else str(cell).strip()
                is_gap = cell in ("", "?", "NA", "N/A", "null", "NULL")
                if is_gap and column["gap"] is None:
                    raise ValueError(f"a gap in column {column['name']}, where training had none")
                cell = column["gap"] if is_gap else cell
                if column["kind"] == "number":
                    number = float(str(cell).replace(KNOWN["file"].get("decimal", "."), "."))
                    values += [number] + [float(is_gap)] * column["marks_gaps"]
                else:
                    values += [float(cell == category) for category in column["categories"]]
        inputs.append(values)
    return scaled(inputs)


def padded(texts):
    """Tokens of each text, cut or filled up with 0 to the length of the network's inputs."""
    length = KNOWN["input"]["tokens"]["length"]
    return np.array([(list(tokens) + [0] * length)[:length] for tokens in texts], np.int64)


def words(text):
    """The words of a text in lower case, and each sign by itself."""
    return [word.lower() for word in re.findall(r"\w+|[^\w\s]", text)]


def prepare_bytes(texts):
    """Texts as inputs of the network: a token for each byte."""
    return padded((byte + 2 for byte in text.encode()) for text in texts)


def prepare_characters(texts):
    """Texts as inputs of the network: a token for each character, 1 for those that training did not know."""
    tokens = {known: token for token, known in enumerate(KNOWN["tokens"]["known"], 2)}
    return padded((tokens.get(character, 1) for character in text) for text in texts)


def prepare_words(texts):
    """Texts as inputs of the network: a token for each word, 1 for those that training did not know."""
    tokens = {known: token for token, known in enumerate(KNOWN["tokens"]["known"], 2)}
    return padded((tokens.get(word, 1) for word in words(text)) for text in texts)


def pieces(word, tokens, merges):
    """The tokens of a word: the earliest merge that applies, again and again."""
    found = [tokens.get(piece, 1) for piece in [*word[:-1], word[-1] + "\U0010ffff"]]
    while True:
        ranks = [merges.get(pair, (len(merges),))[0] for pair in zip(found, found[1:])]
        first = min(ranks, default=len(merges))
        if first == len(merges):
            return found
        pair = found[ranks.index(first)], found[ranks.index(first) + 1]
        merged, at = [], 0
        while at < len(found):
            fits = tuple(found[at:at + 2]) == pair
            merged.append(merges[pair][1] if fits else found[at])
            at += 2 if fits else 1
        found = merged


def prepare_pieces(texts):
    """Texts as inputs of the network: tokens for the pieces of words that training learnt."""
    known, pairs = KNOWN["tokens"]["pieces"], KNOWN["tokens"]["merges"]
    first = len(known) - len(pairs)
    tokens = {piece: token for token, piece in enumerate(known[:first], 2)}
    merges = {tuple(pair): (rank, first + rank + 2) for rank, pair in enumerate(pairs)}
    return padded((token for word in words(text) for token in pieces(word, tokens, merges)) for text in texts)


def answer_classes(outputs):
    """For each example the probability of each class by its name."""
    logits = np.asarray(outputs, np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], 1)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return [dict(zip(KNOWN["output"]["names"], row)) for row in (shares / shares.sum(1, keepdims=True)).tolist()]


def answer_labels(outputs):
    """For each example the probability of each label by its name."""
    shares = 1 / (1 + np.exp(-np.asarray(outputs, np.float64)))
    return [dict(zip(KNOWN["output"]["names"], row)) for row in shares.tolist()]


def answer_numbers(outputs):
    """For each example the numbers by their names, in the units of the data."""
    numbers = np.asarray(outputs, np.float64) * KNOWN["output"]["deviation"] + KNOWN["output"]["mean"]
    return [dict(zip(KNOWN["output"]["names"], row)) for row in numbers.tolist()]
