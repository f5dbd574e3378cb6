using System.Collections.Generic;
using System.Linq;
using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>Moves a character with a person's face: blendshapes by ARKit's names, neck, head and eyes.</summary>
    /// <remarks>Put it on the character's root, whose z is where the character looks. Bones that are not set are found:
    /// those of a humanoid Animator, else by their names.</remarks>
    [AddComponentMenu("MFN/Face Avatar")]
    public sealed class FaceAvatar : MonoBehaviour
    {
        private const float RelaxSeconds = 0.3f; // the time constant of going back to rest when nobody is seen

        [SerializeField, Tooltip("Where faces come from; the scene's first stream where it is empty.")]
        private FaceStream stream;

        [SerializeField, Range(0, 15), Tooltip("0 for a stream's first character, 1 for its second, each its person.")]
        private int person;

        [SerializeField, Tooltip("The character moves as in a mirror: its left is the person's right.")]
        private bool mirror = true;

        [SerializeField, Range(0, 0.2f), Tooltip("Seconds: time constant of following, which hides the camera's pace.")]
        private float followSeconds = 0.03f;

        [Header("Bones")]
        [SerializeField] private Transform neck;
        [SerializeField] private Transform head;
        [SerializeField] private Transform leftEye;
        [SerializeField] private Transform rightEye;

        [SerializeField, Range(0, 1), Tooltip("How much of the head's turn the neck takes.")]
        private float neckShare = 0.4f;

        private FaceBlendshapes blendshapes;
        private FaceBoneRotation neckBone, headBone, leftEyeBone, rightEyeBone;
        private Quaternion headRotation = Quaternion.identity;
        private Quaternion leftEyeRotation = Quaternion.identity; // relative to the head
        private Quaternion rightEyeRotation = Quaternion.identity;

        /// <summary>The face that moves the character; null while nobody is seen.</summary>
        public Face Face => stream != null ? stream.FaceOf(person) : null;

        public bool Mirror
        {
            get => mirror;
            set => mirror = value;
        }

        private void Awake()
        {
            blendshapes = new FaceBlendshapes(GetComponentsInChildren<SkinnedMeshRenderer>(true));
            if (blendshapes.Count == 0)
                Debug.LogWarning("No mesh below this object has a blendshape with one of ARKit's names.", this);
            neckBone = Bone(neck, FaceBone.Neck, HumanBodyBones.Neck);
            headBone = Bone(head, FaceBone.Head, HumanBodyBones.Head);
            leftEyeBone = Bone(leftEye, FaceBone.LeftEye, HumanBodyBones.LeftEye);
            rightEyeBone = Bone(rightEye, FaceBone.RightEye, HumanBodyBones.RightEye);
        }

        private void Start()
        {
            if (stream == null) stream = FindAnyObjectByType<FaceStream>();
            if (stream == null) Debug.LogWarning("The scene has no Face Stream: nothing moves this character.", this);
        }

        /// <summary>After animations, so that the face has the last word.</summary>
        private void LateUpdate()
        {
            var face = Face;
            var seconds = face != null ? followSeconds : RelaxSeconds;
            var share = seconds > 0 ? 1 - Mathf.Exp(-Time.deltaTime / seconds) : 1;
            blendshapes.Follow(face?.Blendshapes, mirror, share);

            var turn = face != null ? UnityFrame.Rotation(face.Pose.Rotation, mirror) : Quaternion.identity;
            headRotation = Quaternion.Slerp(headRotation, turn, share);
            leftEyeRotation = Quaternion.Slerp(leftEyeRotation, EyeTurn(face, true), share);
            rightEyeRotation = Quaternion.Slerp(rightEyeRotation, EyeTurn(face, false), share);
            neckBone.Turn(Quaternion.Slerp(Quaternion.identity, headRotation, neckShare));
            headBone.Turn(headRotation);
            leftEyeBone.Turn(headRotation * leftEyeRotation);
            rightEyeBone.Turn(headRotation * rightEyeRotation);
        }

        /// <summary>Of the character's left or right eye; none where it is not known where the person looks.</summary>
        private Quaternion EyeTurn(Face face, bool left) =>
            face?.Gaze != null
                ? UnityFrame.Rotation(Gaze.Rotation(face.Gaze, mirror ? !left : left), mirror)
                : Quaternion.identity;

        private FaceBoneRotation Bone(Transform given, FaceBone bone, HumanBodyBones human)
        {
            var found = given;
            var animator = GetComponentInChildren<Animator>();
            if (found == null && animator != null && animator.isHuman) found = animator.GetBoneTransform(human);
            if (found == null)
                found = Parts().FirstOrDefault(part => part != null && BoneNames.Matches(bone, part.name));
            return new FaceBoneRotation(found, transform);
        }

        /// <summary>What a name may be of: first bones, since a mesh may be called Head, too.</summary>
        private IEnumerable<Transform> Parts() =>
            GetComponentsInChildren<SkinnedMeshRenderer>(true)
                .SelectMany(skin => skin.bones)
                .Concat(GetComponentsInChildren<Transform>(true));
    }
}
