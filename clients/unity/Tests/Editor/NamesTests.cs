using System.Linq;
using NUnit.Framework;

namespace Mfn.Unity.Tests
{
    /// <summary>Spellings of blendshapes and bones.</summary>
    public sealed class NamesTests
    {
        [TestCase("jawOpen", "jawOpen")]
        [TestCase("JawOpen", "jawOpen")]
        [TestCase("jaw_open", "jawOpen")]
        [TestCase("Jaw Open", "jawOpen")]
        [TestCase("JAWOPEN", "jawOpen")]
        [TestCase("Face.M_F00.jawOpen", "jawOpen")]
        [TestCase("blendShape1.eyeBlink_L", "eyeBlinkLeft")]
        [TestCase("eyeBlink_R", "eyeBlinkRight")]
        [TestCase("eyeBlink.L", "eyeBlinkLeft")]
        [TestCase("EyeBlinkL", "eyeBlinkLeft")]
        [TestCase("eye_blink_left", "eyeBlinkLeft")]
        [TestCase("EYE_BLINK_R", "eyeBlinkRight")]
        [TestCase("jaw_L", "jawLeft")]
        [TestCase("mouthR", "mouthRight")]
        [TestCase("mouthRollUpper", "mouthRollUpper")]
        [TestCase("mouthRollLower_01", null)]
        [TestCase("browInnerUp_L", "browInnerUp")]
        [TestCase("cheekPuffRight", "cheekPuff")]
        [TestCase("jawOpen_L", null)]
        [TestCase("Smile", null)]
        [TestCase("Fcl_MTH_A", null)]
        [TestCase("L", null)]
        [TestCase("", null)]
        public void ABlendshapeIsRecognised(string shape, string arkit)
        {
            Assert.AreEqual(arkit, BlendshapeNames.ToArkit(shape));
        }

        [Test]
        public void ArkitsOwnNamesAreTheirOwn()
        {
            Assert.AreEqual(52, ArkitNames.All.Distinct().Count());
            foreach (var name in ArkitNames.All) Assert.AreEqual(name, BlendshapeNames.ToArkit(name));
        }

        [TestCase("jawLeft", "jawRight")]
        [TestCase("mouthSmileRight", "mouthSmileLeft")]
        [TestCase("browInnerUp", "browInnerUp")]
        public void AMirrorHasTheOtherSide(string name, string other)
        {
            Assert.AreEqual(other, ArkitNames.Mirrored(name));
        }

        [TestCase(FaceBone.Head, "head")]
        [TestCase(FaceBone.Head, "mixamorig:Head")]
        [TestCase(FaceBone.Neck, "Neck")]
        [TestCase(FaceBone.LeftEye, "eye_left")]
        [TestCase(FaceBone.LeftEye, "LeftEye")]
        [TestCase(FaceBone.LeftEye, "Eye.L")]
        [TestCase(FaceBone.RightEye, "eye_right")]
        [TestCase(FaceBone.RightEye, "Eye_R")]
        public void ABoneIsRecognised(FaceBone bone, string name)
        {
            Assert.IsTrue(BoneNames.Matches(bone, name));
        }

        [TestCase(FaceBone.Head, "headset")]
        [TestCase(FaceBone.Head, "HeadTop_End")]
        [TestCase(FaceBone.LeftEye, "eye_right")]
        public void AnotherBoneIsNot(FaceBone bone, string name)
        {
            Assert.IsFalse(BoneNames.Matches(bone, name));
        }
    }
}
