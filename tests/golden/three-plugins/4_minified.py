import faulthandler,hashlib as H,io,numpy as I,os as J,signal,subprocess,sys as c,time as r,torch as e,torch.distributed as o,torch.nn.functional as u,traceback,zlib
from functools import partial as d
from pathlib import Path as a
from sentencepiece import SentencePieceProcessor
from torch import nn as K
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as t
def eh():
 t=J.environ.get;i=int(t('RANK',0));a=int(t('WORLD_SIZE',1));l=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8 micro-batches")
 return i,a,l
def el():
 global s,f,n;i,a,l=eh();t='gloo';d=e.device('cpu')
 if e.cuda.is_available():t='nccl';d=e.device('cuda',l);e.cuda.set_device(d)
 if a>1:o.init_process_group(t)
 f=i;n=a;s=d
def ed():
 if n>1:o.destroy_process_group()
def ec(t):
 if n>1:o.all_reduce(t)
 return t
def eu(value):
 t=[value]*n
 if n>1:o.all_gather_object(t,value)
 return t
def em(value):
 if n==1:return value
 t=e.tensor(value,dtype=e.float64,device=s);o.all_reduce(t,o.ReduceOp.MAX);return t.item()
def ef(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def ep(d):
 a=[ef(t)for t in d]
 if n>1:
  r=e.cat([l.flatten()for l in a]);o.all_reduce(r);i=(r/n).split([l.numel()for l in a])
  for(l,g)in zip(a,i,strict=True):l.copy_(g.view_as(l))
def eg(a,i):
 if n>1:return o.reduce_scatter(a,list(i.chunk(n)),async_op=True)
 a.copy_(i)
def ew(i,a):
 if n>1:return o.all_gather(list(i.chunk(n)),a,async_op=True)
 i.copy_(a)
def ey(e):
 if e is not None:e.wait()
def eb(i,a):
 if not i.o:return a,
 e=range(i.shape[0]//len(i.o));return tuple(t.format(n)for t in i.o for n in e)
def w(r):
 h=[]
 for i in r:
  if i.o:
   e=range(i.shape[0]//len(i.o))
   for(t,l)in zip(i.o,i.init,strict=True):h+=[(t.format(n),l,i)for n in e]
  else:h+=[(a,i.init,i)for a in i.r()]
 return h
def ev(l,r,n):
 for i in r:
  h=n if i.dtype=='activation'else e.float32
  for a in i.r():
   *d,c=a.split('.');t=l
   for o in d:
    if o not in t._modules:t.add_module(o,K.ModuleList())
    t=t._modules[o]
   t.register_parameter(c,K.Parameter(e.empty(i.shape,dtype=h,device=s)))
def ek(a):o=H.sha256(f"{U}:{a}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(o[:7],'little'))
def ex(r,h):
 n=y(g.state_dict(),r)
 for(a,l,p)in w(r):o=e.empty(n[a].shape);l(o,ek(a),h);n[a].copy_(o)
def y(n,r):
 d=[]
 for i in r:
  for a in i.r():d+=n[a].unbind()if i.o else[n[a]]
 return{a:t for((a,p,p),t)in zip(w(r),d,strict=True)}
def ej(tensor,generator,ledger):tensor.zero_()
def b(tensor,generator,ledger):tensor.fill_(1.)
def eq(tensor,generator,ledger,value):tensor.fill_(value)
def ez(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eA:
 def __init__(e):o=[(g.get_parameter(a),eb(i,a),i)for i in et for a in i.r()];e.tensors,e.names=v(o);e.replicated=[t for(t,h,i)in o if i.reduction=='replicated'];e.D,e.E=v([l for l in o if l[2].y]);d,c=v([l for l in o if l[2].group=='matrix']);oe(d,c);r=[(n,*v([l for l in o if l[2].group==n.name]))for n in ow];aT(r)
 @e.no_grad()
 def step(e,scalars,ledger):
  ot();ep(e.replicated);aU(scalars,ledger);oa(scalars,ledger)
  for t in e.tensors:t.grad=None
def v(o):return[t for(t,h,i)in o],[h for(t,h,i)in o]
def eB(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def eC(a):
 global O
 if O is None:O=eB(ob)
 return O(a.bfloat16(),5)
def eD(a,h):a=eC(a).contiguous();return a
def eE(t,a,h,n,r):eF(t,a,.04*r.i,n)
def eF(t,a,e,n):t.add_(a,alpha=-e*n)
def eG(l,t,c):t.mul_(c).add_(l);return l.add(t,alpha=c)
def eH(t):return max(1,t.shape[-2]/t.shape[-1])**.5
def eI():
 a=''
 try:op()
 except(OSError,ValueError)as l:a=f"{ea}: {l}"
 for(i,t)in enumerate(eu(a)):
  if t:raise ValueError(f"{t} (on rank {i})"if i else t)
def eJ(t):
 if t is not None:i(f"prepared {ea}: {t}")
class Param(t):
 name:t;shape:t;group:t;x:t;init:t=None;l:t='';dtype:t='float32';layers:t=0;o:t=();reduction:t='replicated';z:t='';y:t=True;C:t=True;export:t='yes';p:t=0
 def r(e):return[e.name.format(n)for n in range(e.p,e.layers)]or[e.name]
class Group(t):name:t;lr:t;weight_decay:t=.0
class Phase(t):name:t;start:t;q:t=True;l:t=''
class k:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def s(e,i,t):e.done[i,'']=t
 def j(e,i):return', '.join(f"{h} {t}".strip()for((a,t),h)in e.done.items()if a==i and h)
def eK(l,o,t):return(l/x(o)).round().clamp(-t,t).to(e.int8)
def x(o):return o[:,None]if o.ndim else o
def eL(d,o,n):return(d.float()*x(o).float()).to(n)
def eM(l,half):
 if l.ndim==2:o=(l.abs().amax(1)/31).clamp_min(1/31)
 else:o=l.abs().amax()/31;o=o if o>0 else o+1
 if half:o=o.half()
 return eK(l,o.float(),31),o
def eN(l):
 if l.ndim==2:t=e.quantile(l.abs(),.9999984,1);o=(t/127).clamp_min(1/127);a=o.half()
 else:t=e.quantile(l.abs().flatten(),.9999984);a=o=t/127 if t>0 else t+1
 t=x(t);return eK(l.clamp(-t,t),o,127),a
def eO(i,n):
 if'kept'in i:return i['kept'].to(n)
 return eL(i['codes'],i['step'],n)
def j(a,e,n):
 t=J.environ.get(a,e)
 try:return n(t)
 except ValueError:raise ValueError(f"{a} is {t!r}, wanted a value like {e!r}")from None
def eP():global Q,R,h,S,oj,T,U,V,oq,oz;t=J.environ.get;Q=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');R='export'in c.argv;h=j('ITERATIONS',20000,int);S=j('MAX_WALLCLOCK_SECONDS',6e2,float);oj=t('RUN_ID',str(r.time_ns()));T='score'in c.argv;U=j('SEED',1337,int);V=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oq=j('TRAIN_LOG_EVERY',200,int);oz=j('VAL_LOSS_EVERY',1000,int)
class Score(t):val_loss:t;d:t;A:t;f:t
def eQ(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eR(n):o=ei[n].to(s,e.int64);t=o[:,:-1].contiguous();return t,o[:,1:].contiguous(),eS()
def eS():return{}
def eT(a,p,n,l):
 u=n[:,1:];a[u[l]]=p;tJ(f"eval: batch {p}");t,o,c=eR(n);d=tM()
 with e.set_grad_enabled(False):m=oC(t,o,phases=d,fields=c,reduction='none',adapter=None)
 h=aP(t,o,u.to(s));r=l.to(s);f=(m.detach().double()*16777216).round()/16777216;i=f*r,r,h*r;return m,e.stack([g.sum().double()for g in i])
def eU(a,t):
 if n>1:a=a.to(s);o.all_reduce(a,t)
 return a.cpu()
def eV(a,i,d):
 eQ(1+(a[1:]==0).nonzero().flatten());f,n,t=ec(i).tolist()
 if n>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(f/n,f/.6931471805599453/t,int(n),1e3*(r.perf_counter()-d))
def eW(scored_at):
 if f==0:d=f"logs/{oj}.scores.npz";I.savez_compressed(d,scored_at=scored_at.numpy())
class Span(t):start:t;end:t;p:t
def eX(t):return[Span(o,o+1024,0)for o in range(0,(t-1)//1024*1024,1024)]
def eY(t):return t[len(t)*f//n:len(t)*(f+1)//n]
def eZ(t):a=e.are_deterministic_algorithms_enabled();n=t if a else eY(t);o=[n[i:i+64]for i in range(0,len(n),64)];return eY(o)if a else o
def te(t):
 n=e.zeros(64,1025,dtype=e.int64);l=e.zeros(64,1024,dtype=e.bool)
 for(i,(o,a,r))in enumerate(t):n[i,:a+1-o]=e.arange(o,a+1);l[i,r:a-o]=True
 return n,l
def tt(t):
 d=r.perf_counter();g.eval();a=e.zeros(len(ei),dtype=e.int32);i=e.zeros(3,dtype=e.float64,device=s)
 for(h,c)in enumerate(eZ(t),1):n,l=te(c);i+=eT(a,h,n,l)[1]
 g.train();a=eU(a,o.ReduceOp.MAX);return eV(a,i,d),a
def ta():return{a:i.x for(a,p,i)in w(et)if i.export!='drop'}
def to(n,r,s=0):
 e=ta();o={}
 for(a,d)in e.items():t=n[a];c=r.get(a,{});i=P[d].encode(a,t,c,l);o[a]={h:f.cpu()for(h,f)in i.items()}
 return ti(o)
def ti(o):return o
def tn(o):return aK(aI(o))
def ts(data,n):
 a=2**20+sum(8*t.numel()+4096 for t in n.values())
 try:return aJ(aL(data,a))
 except Exception as l:raise ValueError(f"the artifact cannot be read: {str(l)[:99]!r}")from l
def tr(a,i,d,n):t=P[d].decode(a,i,n);return t
def th(o,n):
 e=ta()
 if o.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,d)in e.items():
  try:t=tl(a,o[a],d,n[a].dtype)
  except Exception as l:raise ValueError(f"the artifact's {a} cannot be decoded: {l!r}")from l
  if t.shape!=n[a].shape:raise ValueError(f"{a}: shape {[*t.shape]}, wanted {[*n[a].shape]}")
  n[a].copy_(t)
def tl(a,i,d,n):return tr(a,i,d,n)
def td(t):
 global W,X,oA;oA=f;W=f==0;a('logs').mkdir(exist_ok=True);X=a('logs',t+'.txt')
 if W and not R:X.write_text('')
 c.excepthook=d(tu,X);faulthandler.register(signal.SIGTERM,X.open('a'),chain=True)
def i(t):
 if W:
  print(t,flush=True)
  with X.open('a')as e:print(t,file=e)
def tc(t):
 if W:i(f"error: {t}")
 elif t not in X.read_text():
  with X.open('a')as e:print(f"rank {oA}: error: {t}",file=e)
def tu(path,kind,l,trace):
 with path.open('a')as e:traceback.print_exception(l,file=e)
 c.__excepthook__(kind,l,trace)
def tm():
 o=H.sha256(a(c.argv[0]).read_bytes()).hexdigest();t=f"hardware:{J.uname().machine} CPU, {e.get_num_threads()} threads"
 if s.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 i(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{o}\n{t}")
def q():return len(a(c.argv[0]).read_bytes())
og='final_model.pt'
def z():return P['mlp'].name
def tf():return a(f"final_model.{z()}.ptz")
def tp(o):
 n=y(g.state_dict(),et)
 if f==0:a('final_export.pt').unlink(missing_ok=True);A(d(e.save,n),'final_model.pt')
 r=tb()
 if f==0:h=r,l.done,p,eo,Z;A(d(e.save,h),'final_export.pt')
 tg(n,r)
def tg(n,r):
 t=tN();E('diagnostic','val');i(f"diagnostic pre-quantization post-ema val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f} eval_time:{t.f:.0f}ms")
 if f==0:tv(n,r)
 em(.0);tx()
def A(n,d):
 t=a('final_model.tmp')
 try:
  n(t)
  with t.open('rb')as e:J.fsync(e.fileno())
  t.replace(d)
 finally:t.unlink(missing_ok=True)
def tw():
 global Z,eo,p;n=y(g.state_dict(),et);e=ty('final_model.pt');h=ty('final_export.pt');o=[a for a in n if a not in e or e[a].shape!=n[a].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(a,t)in n.items():t.copy_(e[a])
 r,i,p,eo,Z=h;l.done.update(i);tI(Z);tg(n,r)
def ty(d):
 try:return e.load(d,s,weights_only=True)
 except OSError:raise
 except Exception as l:raise ValueError(f"{d} is damaged: {str(l)[:99]!r}")from l
def tb():global Y;r={};Y=False;return r
def tv(n,r):o=to(n,r,q());E('quantize','none');h=tn(o);E('compress','none');A(d(a.write_bytes,data=h),tf());e=f"{z()}+zlib";i(f"Serialized model: {a(og).stat().st_size} bytes\nCode size: {q()} bytes\nSerialized model {e}: {len(h)} bytes\nTotal submission size {e}: {len(h)+q()} bytes")
def tk():
 n=y(g.state_dict(),et)
 for t in n.values():t.zero_()
 h=tf().read_bytes();o=H.sha256(h).hexdigest()
 if T:
  e=''.join(d.read_text()for d in a('logs').glob('*.txt'))
  if'artifact_sha256:'in e and o not in e:raise ValueError('the artifact is not that of the logs in logs/')
 i('artifact_sha256:'+o);th(ts(h,n),n)
def tx():
 n=z()
 if s.type=='cuda':e.cuda.reset_peak_memory_stats()
 tk();E('decode','none');t,a=tt(eX(len(ei)));E('score','val');tj(f"{n}_zlib_roundtrip",t);eW(a);l.count('chunked_eval','targets',t.A);i(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def tj(e,t):i(f"final_{e} val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f} eval_time:{t.f:.0f}ms\nfinal_{e}_exact val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f}")
def tq():
 t=[n.l for n in m if n.name not in p];e=False
 for a in ov:
  o=l.j(a)
  if o and a not in t:i(f"receipt {a}: {o}")
  else:i(f"error: plugin {a} did nothing");e=f==0
 return e
class Progress(t):step:t;v:t;m:t;u:t;F:t;i:t
class Scalars(t):i:t;B:t;momentum:t
def tz(o,a,d):n=a/d if d>0 else o/max(h,1);return Progress(o,h,a,d,n,1.)
class Context(t):
 ids:t;phases:t;training:t;n:t;memo:t;fields:t;c:t;g:t;ledger:t
 def a(e,i,t,h=1):
  if e.ledger is not None:e.ledger.count(i,t,h)
def B(t):return u.rms_norm(t,(t.size(-1),),eps=1.1920929e-07)
def tA(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 t=a.fields['documents'];return u.pad(t[:,1:]!=t[:,:-1],(1,0))
def tB(r,l,h,n,i,a):
 for g in ox:l=g(r,l,h,n,i,a)
 return l
def tC(r,l,t,h,n,i,a):
 l=tB(r,l,h,n,i,a)
 if a.g is not None:a.g(h,n,t)
 return C(u.linear(t,l.to(t.dtype)),t,h,i,a)
def C(o,t,n,i,a):
 if a.c is not None and n in a.c.sites:o=o+a.c.delta(t,n,i)
 return o
def tD(t,a):
 if'rope'not in a.memo:n=t.size(1);i=t.size(3);d=t.device;r=1e4**(-e.arange(0,i,2,dtype=e.float32,device=d)/i);l=e.outer(e.arange(n,dtype=e.float32,device=d),r);a.memo['rope']=l.cos(),l.sin()
 h,s=(g[None,:,None,:].to(t.dtype)for g in a.memo['rope']);o,c=t.chunk(2,-1);return e.cat((o*h+c*s,c*h-o*s),-1)
class GPT(K.Module):
 def __init__(e,r,n):super().__init__();e.records=r;ev(e,r,n)
 def matrices(e):return y(dict(e.named_parameters()),e.records)
 def h(e,t,h,n,i,a):return tC(e,a.n[f"blocks.{n}.{h}.weight"],t,h,n,i,a)
 def stem(e,ids,ctx):t=u.embedding(ids,ctx.n['tok_emb.weight']);t=C(t,t,'embed',0,ctx);t=B(t);return t
 def b(e,o,a):t=e.stem(o,a);return B(ak(e,t,t,a))
 def logits(e,x,ctx):
  n=aE(e,x,ctx)
  for g in oy:n=g(e,n,ctx)
  return n
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):i=fields or{};l={};fields={**l,**i};a=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);t=e.b(ids,a);n=e.logits(t,a);s=at(n,targets,reduction,a);return s
def tE(t):
 t=a(t);n=sorted(d for d in t.parent.glob(t.name)if('_bytes_'in d.name)==('_bytes_'in t.name))
 if not n:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return n
def tF(d):
 t=a(d).stat().st_size;n=I.fromfile(d,'<i4',3).tolist()
 if t<=1024 or n!=[20240520,1,(t-1024)/2]:raise ValueError(f"{d}: {t} bytes and header {n}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return n[2]
def D(d):
 n=I.memmap(d,'<u2','r',1024,tF(d))
 if n.max()>=1024:raise ValueError(f"{d}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tG(t):
 n=I.concatenate([D(d)for d in tE(t)])
 if len(n)<=1024:raise ValueError(f"{t}: {len(n)} tokens, wanted at least 1025")
 return e.from_numpy(n[:(len(n)-1)//1024*1024+1])
def tH():global Z,oB,ee;Z=.0;oB=ee=r.perf_counter()
def tI(a):global oB;oB=r.perf_counter()-a/1e3
def E(a,data):global Z,ee;t=1e3*(r.perf_counter()-oB);i(f"stage:{a} begin:{Z:.0f}ms end:{t:.0f}ms data:{data}");Z=t;ee=r.perf_counter()
def tJ(t):
 global ee
 if r.perf_counter()>ee+10:ee=r.perf_counter();i(t)
def tK(r,h):global eo,oC,l,g,et,p,ea,ei,Y;et=r;l=h;p=();ea='';tH();eo=False;Y=not(T or R);n=e.bfloat16 if s.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;g=GPT(r,n);ex(r,h);oC=eB(g);t=a(Q,'fineweb_val_*.bin');ei=tG(t);aO(h);o=H.sha256(ei.numpy().data).hexdigest();i(f"val_loader:shards pattern={t} tokens:{len(ei)-1}\nval_sha256:{o}")
def F(h):t=a(Q,'fineweb_train_*.bin');aQ(t,h)
def tL():
 if not Y:raise ValueError('training data are closed: training time is over')
 c=aS();t,o=(g.to(s,non_blocking=True)for g in c);return t,o,{}
def tM():
 if not m:return()
 return tuple(n.name for n in m if n.q and n.name in p)
def tN():return tt(eX(len(ei)))[0]
def tO(d):
 t=[()]
 for n in d:t+=[(*r,n.name)for r in t]
 return t
def tP():
 t,o,c=tL();t,o=t[:1,:512],o[:1,:512];c={a:f[:1,:512]for(a,f)in c.items()};e=tuple(n.name for n in m);g(t,o,phases=e,fields=c,ledger=l).backward()
 for i in et:r=sum(g.get_parameter(a).grad is not None for a in i.r());l.count(i.l,'trained tensors',r)
 g.zero_grad()
def tQ():
 n=g.state_dict();h={a:t.clone()for(a,t)in n.items()};f=eA();c=k();F(c);d=m
 for r in tO(d):
  for o in range(20):tV(f,r,Scalars(1.,1.,.9),c);i(' '.join((f"warmup_step:{o+1}/20",*r)))
 for(a,t)in n.items():t.copy_(h[a])
 e.manual_seed(U);F(l)
def tR(r):
 try:eP();el();h=k();td(eu(oj)[0])
 except(OSError,ValueError)as l:print(f"error: {l}",file=c.stderr);c.exit(2)
 e.manual_seed(U);e.backends.cuda.matmul.allow_tf32=True
 if S==0:tT()
 tm();i('plugins:'+' '.join(ov));tS(r,h)
 if Y:
  tU();tP();tQ();o=tY()
  try:tp(o)
  except(OSError,ValueError)as l:tc(str(l));c.exit(f"error: rank {f}: {l}")
 t=not T and(tq()or eo);ed()
 if t:c.exit(1)
def tS(r,h):
 global p
 try:
  tK(r,h);eI()
  if R:tw()
  elif T:p=tuple(n.name for n in m);tx()
  else:F(k())
  return
 except(OSError,ValueError)as l:
  tc(str(l))
  if not R:ed()
  c.exit(2)
def tT():J.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tU():i(f"model_params:{sum(t.numel()for t in g.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{U}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{h} warmup_steps:20 max_wallclock_seconds:{S:.3f}")
def tV(f,d,r,h):
 a=8//n;e=.0
 for p in range(a):t,o,c=tL();s=oC(t,o,phases=d,fields=c)/a;e+=s.detach();s.backward()
 f.step(r,h);return e
def tW(o,a,d):
 global p;t=tz(o,a,d);r=Scalars(1.,1.,.0)
 for h in ok:r=h(t,r,l)
 for n in m:
  if n.name not in p and n.start(t._replace(i=r.i)):p=tuple(e.name for e in m if e.name in p or e is n);l.s(n.l,f"on at step {o}");i(f"phase {n.name} on at step:{o} train_time:{a:.0f}ms")
 return r
def tX():return 1e3*S
def tY():
 f=eA();aX();d=tX();o=0;a=.0;oi()
 while True:
  g=o==h or 0<d<=a
  if g or oz>0 and o%oz==0:
   on();t=tN();tZ(o,f"val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f}",a)
   if g:break
   oi()
  r=tW(o,a,d);s=tV(f,p,r,l);o+=1;aY(o,r);a=em(os(o))
  if oq>0 and(o<=10 or o%oq==0):
   tZ(o,f"train_loss:{s:.4f}",a)
   if s!=s:raise ValueError('the training loss is not a number')
 if o<h:i(f"stopping_early: wallclock_cap train_time:{a:.0f}ms step:{o}/{h}")
 n=e.cuda.max_memory_allocated()>>20;c=e.cuda.max_memory_reserved()>>20;i(f"peak memory allocated: {n} MiB reserved: {c} MiB");aZ();tI(a);E('train','train');return o
def tZ(o,t,a):i(f"step:{o}/{h} {t} train_time:{a:.0f}ms step_avg:{a/max(o,1):.2f}ms")
def ae(t,e,o,a):a.a('additive_skips','skips');return t+a.n['skip_weights'][o].to(t.dtype)*e
def at(t,n,reduction,a):a.a('cross_entropy','losses');s=u.cross_entropy(t.flatten(0,1).float(),n.flatten(),reduction=reduction);return s.view_as(n)if reduction=='none'else s
def aa(t,a):a.a('partial_rope','rotations');n=tD(t[...,:16],a);return e.cat((n,t[...,16:]),-1)
def ao(model,t,l,h,n,i,ctx):
 if n<4:return t,l
 ctx.a('pko','layers');o=l[...,16:];d=e.cat((o[:,:1],o[:,:-1]),dim=1);c=tA(ctx)
 if c is not None:d=e.where(c[:,:,None,None],o,d)
 return t,e.cat((l[...,:16],d),dim=-1)
def ai(model,t,l,h,n,i,ctx):ctx.a('qk_gain','layers');e=ctx.n[f"blocks.{n}.attn.q_gain"].to(t.dtype);return t*e[:,None],l
def an(r,h,n,i,a):a.a('relu2','layers');t=u.relu(r.h(h,'mlp.fc',n,i,a)).square();return r.h(t,'mlp.proj',n,i,a)
def ar(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ah(t,l,e,n,a):return al(t,l,e,n,a)
def al(t,l,e,n,a):return aC(t,l,e,n,a)
def ad(r,h,n,i,a):
 d=r.h(h,'attn.c_q',n,i,a);s=r.h(h,'attn.c_k',n,i,a);c=r.h(h,'attn.c_v',n,i,a);d=aa(B(e.unflatten(d,2,(8,-1))),a);s=aa(B(e.unflatten(s,2,(4,-1))),a);c=e.unflatten(c,2,(4,-1))
 for g in(ao,ai):d,s=g(r,d,s,h,n,i,a)
 o=ah(d,s,c,n,a);o=r.h(o.flatten(2),'attn.proj',n,i,a);return C(o,h,'attn',i,a)
def ac(t,l,e,i,a):
 d=t.transpose(1,2);s=l.transpose(1,2);c=e.transpose(1,2)
 if i<0 or i>=d.size(2)-1:r=d.size(1)!=s.size(1);return u.scaled_dot_product_attention(d,s,c,is_causal=True,enable_gqa=r).transpose(1,2)
 return au(t,l,e,am(d.size(2),i,d.device,a))
def au(t,l,e,r):d=t.transpose(1,2);s=l.transpose(1,2);c=e.transpose(1,2);n=d.size(1)//s.size(1);s=s.repeat_interleave(n,1);c=c.repeat_interleave(n,1);return u.scaled_dot_product_attention(d,s,c,attn_mask=r).transpose(1,2)
def am(length,i,device,a):
 h='window',i
 if h not in a.memo:t=e.arange(length,device=device);o=t[:,None]-t[None,:];a.memo[h]=(o>=0)&(o<=i)
 r=a.memo[h];return r
def af(t,e,n,a):o=a.n[f"blocks.{n}.resid_mix"].to(t.dtype);return o[0]*t+o[1]*e
def ap(t):a=B(t);return a
def ag(r,h,n,i,a):t=ad(r,h,n,i,a);return a.n[f"blocks.{n}.attn_scale"].to(h.dtype)*t
def aw(r,h,n,i,a):t=an(r,h,n,i,a);t=C(t,h,'mlp',i,a);return a.n[f"blocks.{n}.mlp_scale"].to(h.dtype)*t
def ay(r,t,e,n,i,a):o=af(t[0],e,n,a);o=o+ag(r,ap(o),n,i,a);return o+aw(r,ap(o),n,i,a),
def ab(t,e,o,n,a):
 if e is None:return t
 return ae(t[0],e,o,a),*t[1:]
def av(r,t,e,a):
 h,d=aF();a.a('unet_plan','steps over 9 layers',len(h)+len(d));l=[]
 for(i,n)in enumerate(h):t=ay(r,t,e,n,i,a);l.append(t[0])
 for(o,n)in enumerate(d):t=ab(t,l.pop()if l else None,o,n,a);t=ay(r,t,e,n,len(h)+o,a)
 return t
def ak(r,t,n,a):a.a('sequential_wiring','walks');return av(r,(t,),n,a)[0]
def ax():
 if s.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return az(),None
def aj(a,t,l,e,i):o=a(t,l,e,causal=True,window_size=(i,0));return o[0]if isinstance(o,tuple)else o
def aq(n,t,l,e,i,a):
 if n is not None:return aj(n,t,l,e,i)
 return ac(t,l,e,i,a)
def az():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def aA():
 def t(c,head,query,key):return(query>=key)&(query-key<=256)
 return t
def aB():
 global L;a,L=ax()
 if s.type!='cuda'or L is not None:return a
 for n in(1024,1024):t=aA();M[n]=create_block_mask(t,None,None,n,n,device=s)
 return f"flex_attention (windows), {a} (full)"
def aC(d,s,c,n,a):
 t=n<4;a.a('swa','windowed layers'if t else'full layers');i=256 if t else-1
 if t and a.ledger is None and d.size(1)in M:r=d.size(2)!=s.size(2);e=d.transpose(1,2),s.transpose(1,2),c.transpose(1,2);o=flex_attention(*e,block_mask=M[d.size(1)],enable_gqa=r);return o.transpose(1,2)
 return aq(L,d,s,c,i,a)
def aD(model,t,ctx,cap):ctx.a('tanh_softcap','caps');return cap*e.tanh(t/cap)
def aE(r,t,a):a.a('tied_head','heads');return tC(r,a.n['tok_emb.weight'],t,'head',0,0,a)
def aF():e=tuple(range(9));return e[:len(e)//2],e[len(e)//2:]
def G(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def aG(o):t=io.BytesIO();n={c.intern(a):{c.intern(h):g for(h,g)in i.items()}for(a,i)in o.items()};e.save(n,t);return t.getvalue()
def aH(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aI(o):h=aG(o);l.s('torch_save',f"{len(o)} tensors in {len(h)} bytes");return h
def aJ(data):return aH(data)
def aK(data):r=zlib.compress(data,9);l.s('zlib',f"{len(data)} -> {len(r)} bytes");return r
def aL(data,a):
 d=zlib.decompressobj();t=d.decompress(data,a)
 if not d.eof or d.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return t
def aM():
 try:t=SentencePieceProcessor(V)
 except(OSError,RuntimeError)as l:raise OSError(f"{V}: not a SentencePiece model")from l
 if len(t)>1024:raise ValueError(f"{V} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{V}: U+2581 is not a piece of its own")
 return t
def aN(t):
 r=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):n=t.id_to_piece(a);o=n.startswith('\u2581');r[a]=1 if t.is_byte(a)else len(n.encode())-3*o,o,0
 return e.tensor(r).T
def aO(h):
 global oM,oL,oD,oK
 if any(a(Q).glob('*_bytes_*')):raise ValueError(f"{Q}: it has byte side files, build with the plugin that reads them")
 t=aN(aM());oK,oL,oM=t.to(s);oD=h
def aP(a,t,n):oD.count('sentencepiece_bytes','targets',t.numel());h=oK[t]+(oL[t]&~oM[a]);return h
def aQ(t,h):
 global en,oG,oE,es,oF;en=tE(t)
 for d in en:tF(d)
 oE=f;oF=n;oG=h;es=D(en[0])
def aR(t):
 global es;i=[]
 while t>0:
  if not len(es):en.append(en.pop(0));es=D(en[0])
  i.append(es[:t]);es=es[t:];t-=len(i[-1])
 return I.concatenate(i)
def aS():a=aR(oF*65537).reshape(oF,-1)[oE];a=e.from_numpy(a.astype(int));oG.count('sequential_loader','batches');return a[:-1].reshape(-1,1024),a[1:].reshape(-1,1024)
def aT(r):global oH;o=[{'params':d,'spec':n}for(n,d,h)in r];oH=e.optim.AdamW(o,betas=(.9,.95),eps=1e-08,fused=True)
def aU(r,h):
 for n in oH.param_groups:n['lr']=n['spec'].lr*r.i;n['weight_decay']=n['spec'].weight_decay*r.B
 oH.step();h.count('adam','steps')
def aV(t,r,ledger,start,final,steps):a=min(t.step/steps,1.)if steps>0 else 1.;c=(1-a)*start+a*final;ledger.s('momentum_warmup',f"momentum {c:.4f} at step {t.step}");return r._replace(momentum=c)
def aW(t,steps,scale_first):
 n=t.shape[-2]>t.shape[-1]
 if n:t=t.mT
 t=t/(t.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for p in range(steps):a=t@t.mT;e=2.0315*a@a if scale_first else 2.0315*(a@a);t=3.4445*t+(-4.775*a+e)@t
 return t.mT if n else t
def aX():0
def aY(i,r):0
def aZ():l.s('no_average','last weights')
class MuonBank(t):weight:t;names:t;k:t;full:t;w:t;momentum:t;et:t
def oe(d,h):
 global er,oN;oN={};er=[];E=e.bfloat16 if s.type=='cuda'else e.float32
 for(l,g)in sorted(zip(d,h,strict=True),key=lambda ei:-ei[0].numel()):*p,r,X=l.shape;u=-(-len(g)//n);o=(*g,*['']*u*n)[u*f:][:u];J=[(t,r,X)for t in(u*n,u)];i,a=[e.zeros(m,dtype=E,device=s)for m in J];et,c=[e.zeros(m,dtype=e.bfloat16,device=s)for m in J];er.append(MuonBank(l,g,o,i,a,c,et))
def ot():
 global oI;oI=[]
 for t in er:l=ef(t.weight).bfloat16();t.full.flatten()[:l.numel()].copy_(l.flatten());oI.append(eg(t.w,t.full))
def oa(r,h):
 o=[]
 for(t,e)in zip(er,oI,strict=True):
  ey(e);d=n;l=(t.w/d).bfloat16();a=eG(l,t.momentum,r.momentum);a=eD(a,t.k);o.append((t,ew(t.et,a),a))
  if len(o)>1:oo(*o.pop(0),r,h)
 for i in o:oo(*i,r,h)
def oo(t,e,a,r,h):ey(e);l=t.weight;o=t.et.flatten()[:l.numel()].view_as(l);eE(l,o,t.names,eH(l),r);h.count('parallel_muon','bank updates');h.count('newton_schulz','matrices',t.et.size(0))
def oi():global oJ;oJ=r.perf_counter()-N
def on():
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=r.perf_counter()-oJ;l.s('wall_clock',f"{N:.3f} seconds")
def os(o):return 1e3*(r.perf_counter()-oJ)
def oh(t,length):
 if length<=0:return 1.
 if t.u>0:a=length*(t.m/max(t.step,1));return min(max(t.u-t.m,.0)/max(a,1e-09),1.)
 e=t.v-t.step;return e/length if 0<e<=length else 1.
def ol(t,r,ledger,length):a=oh(t,length);ledger.s('warmdown_iters',f"multiplier {a:.4f} at step {t.step}");return r._replace(i=r.i*a)
def od(model,weight,h,n,i,ctx,half):
 if not h.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.a('bank_qat','matrices');d,o=eM(weight.detach().float(),half);return weight+(eL(d,o,weight.dtype)-weight).detach()
def oc(t,threshold):return t.i<threshold
class ou:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');d,o=e.grid(tensor.float());return{'codes':d,'step':o}
 def grid(e,weight):return eM(weight,True)
 def decode(e,name,parts,kind):return eO(parts,kind)
class om:
 name='int8'
 def __init__(e,half):e.half=half
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,o=eN(tensor.float());return{'codes':d,'step':o}
 def decode(e,name,parts,kind):return eO(parts,kind)
def of():return Param('qo_bank',(18,512,512),'matrix','attn',(G,ej),'banks',o=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(G,G),'banks',o=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(G,),'banks',o=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(ej,),'banks',o=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',b,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',d(eq,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',b,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',b,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ar,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',d(ez,std=.005),'tied_head','activation',z='head')
def op():global ea;ea='swa';eJ(aB())
L=None
M={}
N=.0
ow=Group('embed',.05),Group('scalar',.04)
oy=d(aD,cap=3e1),
ob=d(aW,scale_first=False)
O=None
m=Phase('bank_qat',d(oc,threshold=.15),False,'bank_qat'),
ov='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tanh_softcap','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
ok=d(aV,final=.95,start=.85,steps=500),d(ol,length=1200)
P={'attn':ou(),'control':om(False),'embed':om(True),'mlp':ou()}
ox=d(od,half=True),
if __name__=='__main__':tR(of())