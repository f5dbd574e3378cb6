import { expect, test } from "vitest";
import { Subjects } from "../../src/view/subjects.ts";

test("a notice is news once, closed or not, until it is over", () => {
  const subjects = new Subjects();
  expect(subjects.tell("slow", "Answers are slow")).toBe(true);
  expect(subjects.tell("slow", "Answers are slow")).toBe(false);
  subjects.clear("slow");
  expect(subjects.tell("slow", "Answers are slow")).toBe(true);
});

test("another text of the same subject, and the same text of another, are news", () => {
  const subjects = new Subjects();
  subjects.tell("source", "The camera is gone");
  expect(subjects.tell("source", "The camera is in use")).toBe(true);
  expect(subjects.tell("engine", "The camera is in use")).toBe(true);
});
