using System;
using NUnit.Framework;

namespace Mfn.Unity.Tests
{
    /// <summary>What is read of a resting face's file, and what is refused.</summary>
    public sealed class NeutralFileTests
    {
        [Test]
        public void WeightsAreReadAndWhatElseThereIsPassedOver()
        {
            var neutral = NeutralFile.Read("{\"by\": [\"anna\"],\n \"neutral\": {\"jawOpen\": 0.125, \"cheekPuff_R\": 1}}\n");
            Assert.AreEqual(2, neutral.Count);
            Assert.AreEqual(0.125, neutral["jawOpen"], 0);
            Assert.AreEqual(1, neutral["cheekPuff_R"], 0);
        }

        [TestCase("")]
        [TestCase("[]")]
        [TestCase("{}")]
        [TestCase("{\"neutral\": null}")]
        [TestCase("{\"neutral\": 1}")]
        [TestCase("{\"neutral\": {\"jawOpen\": \"wide\"}}")]
        [TestCase("{\"neutral\": {\"jawOpen\": 1}} more")]
        public void AnythingElseIsRefused(string text)
        {
            Assert.Throws<FormatException>(() => NeutralFile.Read(text));
        }
    }
}
