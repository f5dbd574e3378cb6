using System;
using System.Linq;
using NUnit.Framework;

namespace Mfn.Unity.Tests
{
    /// <summary>Who moves which character.</summary>
    public sealed class LeadingFacesTests
    {
        [Test]
        public void TheLargestFaceLeadsAndStays()
        {
            var leading = new LeadingFaces();
            Assert.IsNull(leading[0]);
            leading.Take(Answer(0, Face(1, 5), Face(2, 9)));
            Assert.AreEqual(2, leading[0].TrackId);
            leading.Take(Answer(0.1, Face(1, 20), Face(2, 9)));
            Assert.AreEqual(2, leading[0].TrackId);
        }

        [Test]
        public void APersonWhoIsAwayForAMomentIsWaitedFor()
        {
            var leading = new LeadingFaces();
            Assert.IsNull(leading[0]);
            leading.Take(Answer(0, Face(2, 9)));
            leading.Take(Answer(0.9, Face(1, 5)));
            Assert.IsNull(leading[0]);
            leading.Take(Answer(1.0, Face(1, 5), Face(2, 9)));
            Assert.AreEqual(2, leading[0].TrackId);
            leading.Take(Answer(2.1, Face(1, 5)));
            Assert.AreEqual(1, leading[0].TrackId);
        }

        [Test]
        public void NoTwoCharactersHaveTheSamePerson()
        {
            var leading = new LeadingFaces();
            Assert.IsNull(leading[1]);
            leading.Take(Answer(0, Face(1, 5)));
            Assert.AreEqual(1, leading[0].TrackId);
            Assert.IsNull(leading[1]);
            leading.Take(Answer(0.1, Face(3, 9), Face(1, 5)));
            Assert.AreEqual(1, leading[0].TrackId);
            Assert.AreEqual(3, leading[1].TrackId);
        }

        [Test]
        public void AfterARestartEverybodyIsNew()
        {
            var leading = new LeadingFaces();
            Assert.IsNull(leading[0]);
            leading.Take(Answer(0, Face(1, 5)));
            var answer = Answer(0.1, Face(2, 5));
            answer.Restarted = true;
            leading.Take(answer);
            Assert.AreEqual(2, leading[0].TrackId);
        }

        private static Face Face(int track, float scale) =>
            new Face { TrackId = track, Pose = new HeadPose { Scale = scale } };

        private static FrameAnswer Answer(double seconds, params Face[] faces) =>
            new FrameAnswer { CapturedAt = TimeSpan.FromSeconds(seconds), Faces = faces.ToList() };
    }
}
