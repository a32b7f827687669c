const wall = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** A moment on this machine's clock: `2026-05-01 09:30:00`. */
export const localTime = (time: Date | string): string => wall.format(new Date(time));

/** The time zone of `localTime` at that moment: `UTC`, `GMT+2`, `PDT`. */
export const zoneName = (time: Date): string =>
  zone.formatToParts(time).find(({ type }) => type === "timeZoneName")?.value ?? "";

const units: readonly [string, number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** A length of time in its two largest units, rounded up to seconds: `3 d 2 h`, `4 min 10 s`, `0 s`. */
export function inWords(milliseconds: number): string {
  let rest = Math.max(0, Math.ceil(milliseconds / 1000));
  const counts = units.map(([unit, seconds]): [string, number] => {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    return [unit, count];
  });
  const first = counts.findIndex(([, count]) => count > 0);
  const shown = counts.slice(first, first + 2).filter(([, count]) => count > 0);
  return first < 0 ? "0 s" : shown.map(([unit, count]) => `${count} ${unit}`).join(" ");
}
