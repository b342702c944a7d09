// From figures to words.  The steps for sound and picture follow what other servers of calls use: LiveKit lets the
// score of Opus fall at 2.5 and 7.5 % loss, that of video at 2 and 6 %.

/** "good", "fair", "poor" or "lost", of one reading of kit.Statistics and what was expected to come. */
export function score({rttMs, lossPercent, receiveKbps, fps, freezes}, {expected, pictures}) {
  if (expected && receiveKbps === 0) return "lost";
  const steps = [
    lossPercent > 6 ? 2 : lossPercent > 2 ? 1 : 0,
    rttMs > 500 ? 2 : rttMs > 250 ? 1 : 0,
    pictures && fps && fps < 5 ? 2 : pictures && fps && fps < 12 ? 1 : 0,
    freezes > 2 ? 2 : freezes ? 1 : 0,
  ];
  return ["good", "fair", "poor"][Math.max(...steps)];
}

const WORSE = {good: 0, fair: 1, poor: 2, lost: 3};

/** Says what holds: bad news at the second reading, good news at the third, so that the sign does not flicker. */
export class Steady {
  #shown = "good"; #other = 0;

  next(word) {
    this.#other = word === this.#shown ? 0 : this.#other + 1;
    if (this.#other >= (WORSE[word] > WORSE[this.#shown] ? 2 : 3)) {
      this.#shown = word;
      this.#other = 0;
    }
    return this.#shown;
  }
}
