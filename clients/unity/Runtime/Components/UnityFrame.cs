using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>Converts rotations of the service's frames to Unity's.</summary>
    /// <remarks> The service's frames are right-handed: y up, z forward out of the face, x to the person's left, as in
    /// glTF. Unity's are left-handed: y up, z forward, x to the character's right. A point p becomes M p with M =
    /// diag(-1, 1, 1), so a rotation R becomes M R M: its axis, a pseudovector, keeps x and changes the sign of y and
    /// z. Seen from a camera before the character, it turns as the person does before theirs.
    ///
    /// In a mirror the person's left is the character's right: R becomes M R M before, and the two cancel.
    /// </remarks>
    public static class UnityFrame
    {
        /// <summary>mirror: the character moves as the person's image in a mirror.</summary>
        public static Quaternion Rotation(System.Numerics.Quaternion rotation, bool mirror = false) =>
            mirror
                ? new Quaternion(rotation.X, rotation.Y, rotation.Z, rotation.W)
                : new Quaternion(rotation.X, -rotation.Y, -rotation.Z, rotation.W);
    }
}
