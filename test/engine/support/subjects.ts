import type { Subject } from "./crash.ts";

export const firstDeployment: Subject = { name: "the first deployment", before: [], edit: {} };

/** Secrets, releases and the TUF repository change; one Release is upgraded, old objects go. */
export const newPublication: Subject = {
  name: "another issuer",
  before: [{}],
  edit: {
    issuers: [{ issuer: "https://gitlab.example.com", clientId: "x", type: "email" }],
  },
};

const first = { "1": "active" };
const all = { fulcioCa: first, ctLog: first, rekor: first, tsa: first };
const trust = { ...all, tufRoot: first, tufOnline: first };

/** The steps of a life by name, in order; each goes on from the one before. */
const lives = {
  announce: { "1": "active", "2": "announced" },
  activate: { "1": "draining", "2": "active" },
  "step back": { "1": "active", "2": "announced" },
  "activate again": { "1": "draining", "2": "active" },
  close: { "1": "closed", "2": "active" },
  retire: { "1": "retired", "2": "active" },
} as const;

/** One step of a kind's life, without a lead time worth waiting for. */
export function step(kind: "fulcioCa" | "ctLog", name: keyof typeof lives): Subject {
  const edit = (life: object) => ({ leadTime: "1s", trust: { ...trust, [kind]: life } });
  const names = Object.keys(lives) as (keyof typeof lives)[];
  const before = names.slice(0, names.indexOf(name)).map((each) => edit(lives[each]));
  return { name: `${kind}: ${name}`, before: [edit(first), ...before], edit: edit(lives[name]) };
}

export const stepNames = Object.keys(lives) as (keyof typeof lives)[];
