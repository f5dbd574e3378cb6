using System.Collections.Generic;
using NUnit.Framework;
using UnityEngine;

namespace Mfn.Unity.Tests
{
    /// <summary>What a face does to a character's meshes and bones.</summary>
    public sealed class CharacterTests
    {
        private readonly List<GameObject> objects = new List<GameObject>();

        [TearDown]
        public void Destroy()
        {
            foreach (var made in objects) Object.DestroyImmediate(made);
            objects.Clear();
        }

        [TestCase(100f)] // an .fbx
        [TestCase(1f)] // a .glb by glTFast
        public void AWeightOfOneIsAFullBlendshapeWhateverItsImporterCounts(float full)
        {
            var skin = Skin(full, "Face.jawOpen", "eyeBlink_L", "myOwn");
            var blendshapes = new FaceBlendshapes(new[] { skin });
            Assert.AreEqual(2, blendshapes.Count);
            blendshapes.Follow(new Dictionary<string, float> { ["jawOpen"] = 1, ["eyeBlinkLeft"] = 0.25f }, false, 1);
            Assert.AreEqual(full, skin.GetBlendShapeWeight(0), 1e-6);
            Assert.AreEqual(full / 4, skin.GetBlendShapeWeight(1), 1e-6);
            Assert.AreEqual(0, skin.GetBlendShapeWeight(2), 1e-6);
        }

        [Test]
        public void AMirrorSwapsLeftAndRight()
        {
            var skin = Skin(100, "eyeBlinkLeft", "eyeBlinkRight", "jawOpen");
            var weights = new Dictionary<string, float> { ["eyeBlinkLeft"] = 1, ["jawOpen"] = 0.5f };
            new FaceBlendshapes(new[] { skin }).Follow(weights, true, 1);
            Assert.AreEqual(0, skin.GetBlendShapeWeight(0), 1e-6);
            Assert.AreEqual(100, skin.GetBlendShapeWeight(1), 1e-6);
            Assert.AreEqual(50, skin.GetBlendShapeWeight(2), 1e-6);
        }

        [Test]
        public void WithoutAFaceItGoesBackToRest()
        {
            var skin = Skin(100, "jawOpen");
            var blendshapes = new FaceBlendshapes(new[] { skin });
            blendshapes.Follow(new Dictionary<string, float> { ["jawOpen"] = 1 }, false, 1);
            blendshapes.Follow(null, false, 0.5f);
            Assert.AreEqual(50, skin.GetBlendShapeWeight(0), 1e-4);
            blendshapes.Follow(null, false, 0.5f);
            Assert.AreEqual(25, skin.GetBlendShapeWeight(0), 1e-4);
        }

        /// <summary>Of a rig whose bones have axes of their own, on a character that stands turned in the
        /// world.</summary>
        [Test]
        public void ABoneTurnsAboutTheCharactersAxes()
        {
            var character = Made("character").transform;
            character.rotation = Quaternion.Euler(0, 90, 0);
            var bone = Made("head").transform;
            bone.SetParent(character, false);
            bone.localRotation = Quaternion.Euler(10, 20, 90);
            var before = bone.rotation;
            var head = new FaceBoneRotation(bone, character);

            head.Turn(Quaternion.identity);
            AssertSame(before, bone.rotation);

            // looking down by 30 degrees, from the rest
            var down = Quaternion.Euler(30, 0, 0);
            head.Turn(down);
            var nose = Quaternion.Inverse(before) * (character.rotation * Vector3.forward); // in the bone's own axes
            var looks = Quaternion.Inverse(character.rotation) * (bone.rotation * nose);
            Assert.AreEqual(0, looks.x, 1e-6);
            Assert.AreEqual(-0.5f, looks.y, 1e-6);
        }

        [Test]
        public void ACharacterWithoutTheBoneStaysAsItIs()
        {
            new FaceBoneRotation(null, Made("character").transform).Turn(Quaternion.Euler(30, 0, 0));
        }

        [Test]
        public void RowsAreTurnedUpsideDown()
        {
            var pixels = new Color32[6];
            for (byte i = 0; i < pixels.Length; i++) pixels[i] = new Color32(i, 0, 0, 255);
            PixelRows.Flip(pixels, 2);
            var reds = new List<byte>();
            foreach (var pixel in pixels) reds.Add(pixel.r);
            Assert.AreEqual(new byte[] { 4, 5, 2, 3, 0, 1 }, reds.ToArray());
        }

        private SkinnedMeshRenderer Skin(float full, params string[] shapes)
        {
            var mesh = new Mesh { vertices = new[] { Vector3.zero, Vector3.up, Vector3.forward } };
            mesh.triangles = new[] { 0, 1, 2 };
            foreach (var shape in shapes) mesh.AddBlendShapeFrame(shape, full, new Vector3[3], null, null);
            var skin = Made("face").AddComponent<SkinnedMeshRenderer>();
            skin.sharedMesh = mesh;
            return skin;
        }

        private GameObject Made(string name)
        {
            var made = new GameObject(name);
            objects.Add(made);
            return made;
        }

        private static void AssertSame(Quaternion expected, Quaternion actual) =>
            Assert.AreEqual(1, Mathf.Abs(Quaternion.Dot(expected, actual)), 1e-5);
    }
}
