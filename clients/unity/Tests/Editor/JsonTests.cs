using System;
using System.Linq;
using NUnit.Framework;

namespace Mfn.Unity.Tests
{
    /// <summary>What is read of the service's messages, and what is refused.</summary>
    public sealed class JsonTests
    {
        [Test]
        public void EscapesAreRead()
        {
            var json = new JsonReader("\"a\\\"b\\\\c\\/\\n\\u00e9\\ud83d\\ude00\"");
            Assert.AreEqual("a\"b\\c/\n\u00e9\ud83d\ude00", json.ReadString());
        }

        [TestCase("0", 0)]
        [TestCase("-1.5e-3", -0.0015)]
        [TestCase(" 12.25 ", 12.25)]
        public void NumbersAreReadInAnyCulture(string text, double value)
        {
            var before = System.Threading.Thread.CurrentThread.CurrentCulture;
            System.Threading.Thread.CurrentThread.CurrentCulture = new System.Globalization.CultureInfo("de-DE");
            try
            {
                Assert.AreEqual(value, new JsonReader(text).ReadNumber(), 1e-12);
            }
            finally
            {
                System.Threading.Thread.CurrentThread.CurrentCulture = before;
            }
        }

        [Test]
        public void IntegersKeepAllTheirDigits()
        {
            Assert.AreEqual(9007199254740993L, new JsonReader("9007199254740993").ReadInteger());
        }

        [Test]
        public void WhatIsNotKnownIsPassedOver()
        {
            var message = ServiceMessage.Read(
                "{\"new\": [{}, [], {\"a\": [1, null, true, \"]\"]}], " +
                "\"problem\": {\"type\": \"urn:problem-type:mfn:bad\", \"title\": \"T\", " +
                "\"status\": 400, \"detail\": \"D\", \"more\": {}}, \"sequence\": 3}");
            Assert.AreEqual(3, message.Sequence.Value);
            Assert.AreEqual("bad", new ProblemException(message.Problem).Kind);
            Assert.AreEqual("D", new ProblemException(message.Problem).Message);
        }

        [Test]
        public void AFaceIsRead()
        {
            var message = ServiceMessage.Read(
                "{\"sequence\": 7, \"timestamp_us\": 1500000, \"dropped\": 0, \"restarted\": true, " +
                "\"image\": {\"width\": 640, \"height\": 480}, \"timing_ms\": {\"decode\": 1.5, \"refine\": null}, " +
                "\"faces\": [{\"track_id\": 2, \"neutral\": \"collecting\", \"score\": 0.5, " +
                "\"box\": {\"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4}, " +
                "\"pose\": {\"quaternion\": [0.5, -0.5, 0.5, 0.5], \"yaw\": 1, \"pitch\": 2, \"roll\": 3, " +
                "\"translation\": [4, 5, 6], \"scale\": 7}, \"expression\": {\"jawOpen\": 0.25}, \"gaze\": null}]}");
            var answer = message.Answer;
            var face = answer.Faces.Single();
            Assert.AreEqual(1.5, answer.CapturedAt.TotalSeconds, 1e-9);
            Assert.IsTrue(answer.Restarted);
            Assert.AreEqual(640, answer.ImageWidth);
            Assert.IsFalse(answer.TimingMs.ContainsKey("refine"));
            Assert.AreEqual(NeutralState.Collecting, face.Neutral);
            Assert.AreEqual(-0.5f, face.Pose.Rotation.Y, 0);
            Assert.AreEqual(6f, face.Pose.Translation.Z, 0);
            Assert.AreEqual(4f, face.Box.Height, 0);
            Assert.AreEqual(0.25f, face.Expression["jawOpen"], 0);
            Assert.IsTrue(face.Gaze == null && face.Blendshapes == null && face.Landmarks == null);
        }

        [TestCase("")]
        [TestCase("{")]
        [TestCase("{}")]
        [TestCase("[]")]
        [TestCase("null")]
        [TestCase("{\"problem\": {\"type\": \"x\"}}")]
        [TestCase("{\"problem\": \"none\"}")]
        [TestCase("{\"faces\": [], \"sequence\": 1.5}")]
        [TestCase("{\"faces\": [{}], \"sequence\": 1}")]
        [TestCase("{\"faces\": [],, \"sequence\": 1}")]
        [TestCase("{\"faces\": [], \"sequence\": 1,}")]
        [TestCase("{\"faces\": [], \"sequence\": 1} {}")]
        [TestCase("{\"faces\": [], \"sequence\": 1, \"a\": tru}")]
        [TestCase("{\"faces\": [], \"sequence\": 1, \"a\": \"\\x\"}")]
        [TestCase("{\"faces\": [], \"sequence\": 1, \"a\": \"\\u12\"}")]
        [TestCase("{\"faces\": [], \"sequence\": 99999999999999999999}")]
        [TestCase("<html></html>")]
        public void WhatIsNoMessageIsRefused(string text)
        {
            Assert.Throws<FormatException>(() => ServiceMessage.Read(text));
        }

        [Test]
        public void NestingWithoutEndIsRefused()
        {
            Assert.Throws<FormatException>(() => ServiceMessage.Read("{\"a\": " + new string('[', 100000)));
        }
    }
}
