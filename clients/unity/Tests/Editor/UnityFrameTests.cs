using System;
using NUnit.Framework;
using UnityEngine;
using Rotation = System.Numerics.Quaternion;

namespace Mfn.Unity.Tests
{
    /// <summary>Which way a head goes, in words: Unity's x is the character's right, y up, z where it looks.</summary>
    public sealed class UnityFrameTests
    {
        private const float Degrees = 30;

        [Test]
        public void AHeadThatTurnsToItsLeftLooksToItsLeft()
        {
            var looks = UnityFrame.Rotation(About(0, 1, 0)) * Vector3.forward;
            AssertNear(-Mathf.Sin(Degrees * Mathf.Deg2Rad), looks.x);
            AssertNear(0, looks.y);
            AssertNear(Mathf.Cos(Degrees * Mathf.Deg2Rad), looks.z);
        }

        [Test]
        public void AHeadThatNodsLooksDown()
        {
            var looks = UnityFrame.Rotation(About(1, 0, 0)) * Vector3.forward;
            AssertNear(0, looks.x);
            AssertNear(-Mathf.Sin(Degrees * Mathf.Deg2Rad), looks.y);
        }

        /// <summary>Roll is positive counter-clockwise as seen: the crown goes to the image's left.</summary>
        [Test]
        public void AHeadThatTiltsToItsRightShoulderTiltsThere()
        {
            var crown = UnityFrame.Rotation(About(0, 0, 1)) * Vector3.up;
            AssertNear(Mathf.Sin(Degrees * Mathf.Deg2Rad), crown.x);
            AssertNear(Mathf.Cos(Degrees * Mathf.Deg2Rad), crown.y);
        }

        [Test]
        public void AMirrorSwapsTheSidesAndKeepsNods()
        {
            var sine = Mathf.Sin(Degrees * Mathf.Deg2Rad);
            AssertNear(sine, (UnityFrame.Rotation(About(0, 1, 0), mirror: true) * Vector3.forward).x);
            AssertNear(-sine, (UnityFrame.Rotation(About(1, 0, 0), mirror: true) * Vector3.forward).y);
            AssertNear(-sine, (UnityFrame.Rotation(About(0, 0, 1), mirror: true) * Vector3.up).x);
        }

        /// <summary>As a point goes from the right-handed frame to Unity's, so does a rotated one.</summary>
        [Test]
        public void RotatingAndConvertingCommute()
        {
            var rotation = Rotation.CreateFromYawPitchRoll(0.4f, -0.3f, 0.7f);
            var point = new System.Numerics.Vector3(0.2f, -0.5f, 0.9f);
            var rotated = System.Numerics.Vector3.Transform(point, rotation);
            var inUnity = UnityFrame.Rotation(rotation) * new Vector3(-point.X, point.Y, point.Z);
            AssertNear(-rotated.X, inUnity.x);
            AssertNear(rotated.Y, inUnity.y);
            AssertNear(rotated.Z, inUnity.z);
        }

        private static Rotation About(float x, float y, float z) =>
            Rotation.CreateFromAxisAngle(new System.Numerics.Vector3(x, y, z), (float)(Degrees * Math.PI / 180));

        private static void AssertNear(float expected, float actual) => Assert.AreEqual(expected, actual, 1e-6);
    }
}
