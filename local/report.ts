/** Takes one line of progress, written for people. */
export type Report = (line: string) => void;
